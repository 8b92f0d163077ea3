package io.kvorum.resp;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * What waits to be sent to a client that has subscribed to something, and the thread that sends it. Messages wait up to
 * a number of bytes; a client that lags further behind is given up, as the server does.
 *
 * <p>Safe for use by any number of threads.
 */
final class PushQueue implements Runnable {
    private static final long MAX_BYTES = 32 << 20;

    private final Connection connection;
    private final Socket socket;
    private final Queue<byte[]> waiting = new ArrayDeque<>();
    private long bytes;
    private boolean sending;
    private boolean closed;

    PushQueue(Connection connection, Socket socket) {
        this.connection = connection;
        this.socket = socket;
    }

    /** Adds an answer, which is never too much: the client waits for it. */
    synchronized void add(byte[] answer) {
        waiting.add(answer);
        bytes += answer.length;
        notifyAll();
    }

    /** {@return whether there was room for a message} */
    synchronized boolean offer(byte[] message) {
        if (bytes + message.length > MAX_BYTES) {
            return false;
        }
        add(message);
        return true;
    }

    /** Waits until everything was sent. */
    synchronized void drain() {
        try {
            while (!closed && (sending || !waiting.isEmpty())) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    synchronized void close() {
        closed = true;
        notifyAll();
    }

    private synchronized byte[] next() {
        sending = false;
        notifyAll();
        try {
            while (waiting.isEmpty() && !closed) {
                wait();
            }
        } catch (InterruptedException e) { // nobody interrupts it but who wants it to end
            closed = true;
            Thread.currentThread().interrupt();
        }
        byte[] next = closed ? new byte[0] : waiting.remove();
        bytes -= next.length;
        sending = true;
        return next;
    }

    @Override
    public void run() {
        try {
            OutputStream out = socket.getOutputStream();
            byte[] next = next();
            while (next.length > 0 && connection.endpoint().awaitReachable(connection)) {
                out.write(next);
                next = next();
            }
        } catch (IOException e) {
            connection.close();
        } finally {
            close();
        }
    }
}
