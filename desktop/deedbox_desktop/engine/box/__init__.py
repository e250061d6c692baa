"""The box as the desk sees it: one interface, spoken over HTTPS, and in tests to a box in memory."""
