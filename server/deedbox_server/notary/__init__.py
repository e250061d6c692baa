"""The log: pending entries, one sequencer, receipts and proofs (formats/log.md, formats/receipt.md)."""
