"""Durable jobs: put in a queue by the transaction that wants the work done, done step by step, survive any crash."""

from deedbox_server.jobs.handlers import Handler, Handlers
from deedbox_server.jobs.outcomes import JobRefused, JobTooLarge, LeaseLost
from deedbox_server.jobs.queue import Jobs
from deedbox_server.jobs.runner import Runner
from deedbox_server.jobs.work import Ids, JobContext, JobDraft, JobState, JobStatus, LeasedJob

__all__ = [
    "Handler",
    "Handlers",
    "Ids",
    "JobContext",
    "JobDraft",
    "JobRefused",
    "JobState",
    "JobStatus",
    "JobTooLarge",
    "Jobs",
    "LeaseLost",
    "LeasedJob",
    "Runner",
]
