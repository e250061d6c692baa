"""Disk work that desk and box share: durable files, free space, one owner a folder, encrypted SQLite."""
