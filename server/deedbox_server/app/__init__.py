"""The whole box: its parts made once, joined, run and stopped."""
