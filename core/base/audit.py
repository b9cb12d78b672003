"""Writes the append-only audit trail. An action reads 'source:subject:action'; its facts are copies."""

from typing import Any

from sqlalchemy.orm import Session

from core.base.actor import Principal, Visitor
from db.tables.sheets import AuditEvent


def record(
    session: Session,
    actor: Principal | None,
    action: str,
    *,
    sheet_id: int | None = None,
    address: str | None = None,
    **facts: Any,
) -> None:
    """Append an event in the caller's transaction. The facts hold ids and names, never secrets or cell values.

    `address` is the network address of an event without an actor. For a visitor the link and the visit are recorded.
    """
    if isinstance(actor, Visitor):
        address, facts = actor.address, facts | {"link": actor.link_id, "visit": str(actor.visit_id)}
        actor = None
    session.add(
        AuditEvent(
            action=action,
            actor_id=actor.user_id if actor else None,
            sheet_id=sheet_id,
            address=actor.address if actor else address,
            facts=facts,
        )
    )
    session.flush()
