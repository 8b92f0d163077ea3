package io.kvorum.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A port of loopback that passes everything on to another one, and back, until it is cut: then what is under way stands
 * still, as in a network that loses every packet. Safe for use by any number of threads.
 */
final class Wire implements AutoCloseable {
    private final ServerSocket server;
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private boolean cut; // guarded by this

    Wire(int target) {
        this.target = target;
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "wire");
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return server.getLocalPort();
    }

    /** Lets nothing through until {@link #heal}. */
    synchronized void cut() {
        cut = true;
    }

    /** Lets everything through, what came meanwhile first. */
    synchronized void heal() {
        cut = false;
        notifyAll();
    }

    private synchronized void awaitOpen() throws IOException {
        while (cut) {
            try {
                wait();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket from = server.accept();
                sockets.add(from);
                start(() -> connect(from));
            } catch (IOException e) { // it was closed
                return;
            }
        }
    }

    private void connect(Socket from) {
        try {
            awaitOpen();
            Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
            sockets.add(to);
            start(() -> pass(to, from));
            pass(from, to);
        } catch (IOException e) { // nobody is there
            end(from);
        }
    }

    private void pass(Socket from, Socket to) {
        byte[] buffer = new byte[16_384];
        try {
            for (int count = from.getInputStream().read(buffer); count >= 0; ) {
                awaitOpen();
                to.getOutputStream().write(buffer, 0, count);
                count = from.getInputStream().read(buffer);
            }
            awaitOpen(); // the end, too, is not noticed across a cut
        } catch (IOException e) { // one of them is gone
            end(from);
        }
        end(from);
        end(to);
    }

    private void end(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        heal();
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        sockets.forEach(this::end);
    }
}
