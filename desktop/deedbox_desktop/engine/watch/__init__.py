"""Watching folders: a rescan is the truth, events are hints."""
