"""From the journal to the box and back: statements in order, bytes in any order, receipts only when they hold."""
