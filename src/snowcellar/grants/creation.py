"""The owner and the future grants of what a statement makes, replaces, renames or drops.

The grants of a new object are kept before it is made and taken back if it is not, so that there is no moment
in which it has none; those of a replaced object after it, so that a failure leaves the old ones. What a crash
leaves in between is put right at the next start (reconciliation).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace as changed
from typing import TYPE_CHECKING

import duckdb

from snowcellar import letter_case
from snowcellar.grants.catalogue import PUBLIC
from snowcellar.grants.key import Key
from snowcellar.grants.kinds import OWNERSHIP
from snowcellar.grants.rights import rights_of
from snowcellar.grants.store import Change, Grant

if TYPE_CHECKING:
    from snowcellar.grants.catalogue import Catalogue
    from snowcellar.session import Session


@contextlib.contextmanager
def creating(
    session: Session, key: Key, *, replace: bool = False, copy_grants: bool = False
) -> Iterator[None]:
    """Check that an object may be made, and give it its grants while the block makes it.

    An object that is there already, and is not to be replaced, keeps what it has.
    """
    rights_of(session).require_create(key.kind, key.container)
    with recording(session, key, replace=replace, copy_grants=copy_grants):
        yield


@contextlib.contextmanager
def recording(
    session: Session, key: Key, *, replace: bool = False, copy_grants: bool = False
) -> Iterator[None]:
    """The same for an object that needs no privilege of its own, as it comes with another."""
    catalogue = session.warehouse.grants
    refuse_beside(session, key)
    with catalogue.lock:
        existed = catalogue.exists(key)
        made_by_another = key in catalogue.being_made
        if not existed:
            catalogue.apply(Change(granted=_initial_grants(session, key)))
            catalogue.being_made.add(key)
    if (existed and not replace) or made_by_another:
        yield
        return
    if existed:
        rights_of(session).require(OWNERSHIP, key)
        yield
        replaced(session, key, copy_grants=copy_grants)
        return
    try:
        yield
    except BaseException:
        # Without room on the disk it stays until the next start, which finds no such object.
        with contextlib.suppress(duckdb.Error):
            catalogue.apply(Change(dropped=[key]))
        raise
    finally:
        catalogue.being_made.discard(key)


def refuse_beside(session: Session, key: Key) -> None:
    """Refuse a name that differs from one that is there in the case of its letters only."""
    if there := session.warehouse.grants.beside(key):
        letter_case.refuse_beside(key.short, there.short)


def replaced(session: Session, key: Key, *, copy_grants: bool) -> None:
    """Give a replaced object to the role that replaced it; its grants are gone unless they are copied."""
    catalogue = session.warehouse.grants
    with catalogue.lock:
        old = catalogue.grants_on(key)
        new = _initial_grants(session, key)
        if copy_grants:
            new = [grant for grant in old if grant.privilege != OWNERSHIP]
            new.append(Grant(key, OWNERSHIP, session.role, session.role))
        catalogue.apply(Change(revoked=old, granted=new))


def _initial_grants(session: Session, key: Key) -> list[Grant]:
    """The owner, and what the schema or, without any there, the database grants on objects to come."""
    catalogue = session.warehouse.grants
    future = next((found for place in reversed(key.parents) if (found := _future(catalogue, place, key))), [])
    granted = [changed(grant, key=key, future_kind="") for grant in future]
    if not any(grant.privilege == OWNERSHIP for grant in granted):
        granted.append(Grant(key, OWNERSHIP, session.role or PUBLIC, session.role))
    return granted


def _future(catalogue: Catalogue, place: Key, key: Key) -> list[Grant]:
    return catalogue.future_grants(place, key.kind)


@contextlib.contextmanager
def dropping(session: Session, *keys: Key) -> Iterator[None]:
    """Check that objects may be dropped, and forget their grants when the block has dropped them."""
    rights = rights_of(session)
    for key in keys:
        rights.require(OWNERSHIP, key)
    yield
    session.warehouse.grants.apply(Change(dropped=list(keys)))


def renamed(session: Session, old: Key, new: Key) -> None:
    """Move the grants of an object to its new name."""
    catalogue = session.warehouse.grants
    with catalogue.lock:
        moved = [changed(grant, key=new) for grant in catalogue.grants_on(old)]
        kept = [changed(each, key=new) for each in catalogue.settings_of(old)]
        catalogue.apply(Change(dropped=[old], granted=moved, settings=kept))
