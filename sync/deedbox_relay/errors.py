"""What stops the program. What askers are told is the witness protocol's."""


class SetupError(Exception):
    """The message says what is missing or wrong, and what to do."""
