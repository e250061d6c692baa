"""Reading originals, and saying under signature what was read. Originals are never touched."""
