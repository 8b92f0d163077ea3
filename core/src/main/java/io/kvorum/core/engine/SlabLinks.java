package io.kvorum.core.engine;

/** Where the records of a {@link SlabTable} keep their place in their slot and their links in a bucket of the wheel. */
final class SlabLinks implements SlotRecords.Places, DeadlineWheel.Records {
    private final Segments segments;

    SlabLinks(Segments segments) {
        this.segments = segments;
    }

    @Override
    public int place(int reference) {
        return SlabRecord.place(segments.of(reference), Segments.offset(reference));
    }

    @Override
    public void setPlace(int reference, int place) {
        SlabRecord.setPlace(segments.of(reference), Segments.offset(reference), place);
    }

    @Override
    public long order(int reference) {
        byte[] segment = segments.of(reference);
        int at = Segments.offset(reference);
        return KeyHash.ORDER.of(segment, SlabRecord.keyFrom(segment, at), SlabRecord.keyLength(segment, at));
    }

    @Override
    public int next(int reference) {
        return SlabRecord.nextDue(segments.of(reference), Segments.offset(reference));
    }

    @Override
    public void setNext(int reference, int next) {
        SlabRecord.setNextDue(segments.of(reference), Segments.offset(reference), next);
    }

    @Override
    public int previous(int reference) {
        return SlabRecord.previousDue(segments.of(reference), Segments.offset(reference));
    }

    @Override
    public void setPrevious(int reference, int previous) {
        SlabRecord.setPreviousDue(segments.of(reference), Segments.offset(reference), previous);
    }

    @Override
    public long deadline(int reference) {
        return SlabRecord.deadline(segments.of(reference), Segments.offset(reference));
    }
}
