"""How a job ends other than by returning. Any other exception is tried again, later and later, until attempts run
out.
"""


class JobTooLarge(Exception):
    """The subject is more than the workers' limits allow: the job ends as `too_large`, which people see, and is
    not tried again.
    """


class JobRefused(Exception):
    """The work can never succeed (an encrypted file, no known form): the job ends as `failed` at once. Say why in
    one short word.
    """


class LeaseLost(Exception):
    """Another runner has this job now, or nobody: what this one does no longer counts, and it stops without
    writing anything.
    """
