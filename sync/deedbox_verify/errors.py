"""What the verifier itself can meet. What is wrong inside a bundle is a finding, not an exception."""


class UncheckableError(Exception):
    """There is nothing to judge: no bundle, unreadable, or refused unread for safety. Exit status 2."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
