"""Files of jobs: kept in the database, in parts, so that a job survives a restart and any process can run it."""

from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.tables.jobs import JobFile

PART_BYTES = 2**20
MAX_BYTES_IN_MEMORY = 16 * 2**20


def store_file(session: Session, job_id: int, file: BinaryIO) -> None:
    """Store the file of a job. It is deleted with the job, or when that is done or cancelled."""
    file.seek(0)
    number = 0
    while content := file.read(PART_BYTES):
        session.execute(_STORE, {"job": job_id, "part": number, "content": content})
        number += 1


def open_file(session: Session, job_id: int) -> BinaryIO:
    """Return the file of a job, at its beginning."""
    file = cast("BinaryIO", SpooledTemporaryFile(MAX_BYTES_IN_MEMORY))  # noqa: SIM115 - the caller closes it.
    numbers = session.scalars(select(JobFile.part).where(JobFile.job_id == job_id).order_by(JobFile.part)).all()
    for number in numbers:
        content = session.scalar(select(JobFile.content).where(JobFile.job_id == job_id, JobFile.part == number))
        file.write(content or b"")
    file.seek(0)
    return file


_STORE = text("INSERT INTO job_files (job_id, part, content) VALUES (:job, :part, :content)")
