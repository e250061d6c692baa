"""A box's parts, made from its settings and unlocked keys. Nothing else in the program makes them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deedbox_disk import durable
from deedbox_server.app.door import open_door, password_rules
from deedbox_server.app.parts import Box, Whereabouts
from deedbox_server.casefile import CaseFiles
from deedbox_server.cases import Cases
from deedbox_server.cases.artifacts import Artifacts
from deedbox_server.cases.conflicts import Conflicts
from deedbox_server.cases.events import Events
from deedbox_server.cases.listing import Listing
from deedbox_server.cases.parties import Parties
from deedbox_server.cases.relations import Relations
from deedbox_server.cases.search import CaseSearch
from deedbox_server.cases.timeline import Timeline
from deedbox_server.cases.timeline_own import OWN_SOURCES
from deedbox_server.database import Database, migrate, open_database
from deedbox_server.documents.dispatcher import Dispatcher
from deedbox_server.documents.service import Reading, reading_jobs
from deedbox_server.evidence.box_device import BoxDevice
from deedbox_server.evidence.bundled_time import TimeGathering
from deedbox_server.evidence.bundling import Bundling
from deedbox_server.evidence.commit import Committer
from deedbox_server.evidence.custody import Custody
from deedbox_server.evidence.derive import Deriver
from deedbox_server.evidence.deskless import Deskless
from deedbox_server.evidence.exhibits import Exhibits
from deedbox_server.evidence.find import Finding
from deedbox_server.evidence.handovers import Handovers
from deedbox_server.evidence.intake import Intake
from deedbox_server.evidence.items import Items
from deedbox_server.evidence.journal import Journals
from deedbox_server.evidence.links import Links
from deedbox_server.evidence.possession import Possession
from deedbox_server.evidence.receipts import Receipts
from deedbox_server.evidence.refile import Refiling
from deedbox_server.evidence.senders import Senders
from deedbox_server.evidence.timeline_dates import EXHIBIT_SOURCES
from deedbox_server.evidence.timeline_items import ITEM_SOURCE
from deedbox_server.evidence.uploads import Uploads
from deedbox_server.evidence.verifying import Verifying
from deedbox_server.jobs import Handlers, Jobs
from deedbox_server.notary.alarms import Alarms
from deedbox_server.notary.beacons import Beacons, chain_of
from deedbox_server.notary.brackets import Brackets
from deedbox_server.notary.identifiers import Identifiers
from deedbox_server.notary.outside import Outside
from deedbox_server.notary.provers import Provers
from deedbox_server.notary.reconciling import Reconciling
from deedbox_server.notary.sequencer import Sequencer, open_log
from deedbox_server.notary.service import Notary
from deedbox_server.notary.stamping import load_roots
from deedbox_server.notary.stamps import Stamps
from deedbox_server.notary.witness_changes import WitnessChanges
from deedbox_server.notary.witnesses import Witnesses
from deedbox_server.notary.witnessing import Witnessing
from deedbox_server.papers.audit_reports import AuditReports
from deedbox_server.papers.building import Builder
from deedbox_server.papers.gathering import Gathering
from deedbox_server.papers.press import Press
from deedbox_server.papers.service import Papers
from deedbox_server.papers.signatory import Signatory
from deedbox_server.papers.store import PaperStore
from deedbox_server.papers.timeline import PAPER_SOURCE
from deedbox_server.papers.validation_run import ValidationRun
from deedbox_server.people.accounts import Accounts
from deedbox_server.people.authority import Authority
from deedbox_server.people.devices import Devices
from deedbox_server.people.erasing import Erasers, PersonExport
from deedbox_server.people.key_service import ApiKeys
from deedbox_server.people.membership import Membership
from deedbox_server.people.oidc import Oidc
from deedbox_server.people.oidc_settings import oidc_settings
from deedbox_server.people.outside_identities import OutsideIdentities
from deedbox_server.people.outside_tokens import outside_tokens
from deedbox_server.people.pairing import BoxFacts, Pairing
from deedbox_server.people.rate_limits import Limits, RateLimits
from deedbox_server.people.rules import standard_permissions
from deedbox_server.people.signed_calls import SignedCalls
from deedbox_server.people.walls import Walls
from deedbox_server.retention.applying import Applying
from deedbox_server.retention.carrying_out import CarryingOut
from deedbox_server.retention.disposals import Disposals
from deedbox_server.retention.erasers import register as register_erasers
from deedbox_server.retention.erasures import Erasures
from deedbox_server.retention.erasures_list import ErasuresList
from deedbox_server.retention.holds import Holds
from deedbox_server.retention.person_export import PersonExporting
from deedbox_server.retention.person_sections import PersonSections
from deedbox_server.retention.retaining import Retaining
from deedbox_server.search.following import FollowingIndex
from deedbox_server.search.index import SearchIndex
from deedbox_server.search.opening import open_index
from deedbox_server.search.service import Search
from deedbox_server.settings import Settings
from deedbox_server.trail import Live, Trail, TrailReading
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyStore
from deedbox_server.vault.keyring import Keyring
from deedbox_sync import note
from deedbox_sync.witness import Witness

FIRST_EPOCH = 1


@asynccontextmanager
async def open_box(settings: Settings, keyring: Keyring) -> AsyncIterator[Box]:
    """Open everything, bring the database up to this version, and close everything again at the end."""
    async with AsyncExitStack() as stack:
        database = await open_database(settings, keyring.named("database"))
        stack.push_async_callback(database.close)
        await migrate(database)
        keys = await KeyStore.open(settings.keys_folder, keyring)
        stack.push_async_callback(keys.close)
        vault = Vault(settings.data, keys, database)
        stack.push_async_callback(vault.close)
        index = await open_index(database, settings.index_file, keyring.named("index"))
        stack.push_async_callback(index.close)
        outside = Outside.open()
        stack.push_async_callback(outside.close)
        provers = Provers(keyring.named("vrf"), f"box/{await _box_id(database)}")
        stack.push_async_callback(provers.close)
        press = Press()
        stack.push_async_callback(press.close)
        box = await _assemble(settings, keyring, database, keys, vault, index, outside, provers, press)
        stack.push_async_callback(box.trail.close)
        stack.push_async_callback(box.papers.close)
        yield box


async def _assemble(
    settings: Settings,
    keyring: Keyring,
    database: Database,
    keys: KeyStore,
    vault: Vault,
    index: SearchIndex,
    outside: Outside,
    provers: Provers,
    press: Press,
) -> Box:
    log_key = Ed25519PrivateKey.from_private_bytes(keyring.named("notary"))
    box_id = await _box_id(database)
    origin = note.encode_origin(box_id, FIRST_EPOCH)
    notary = Notary(database, keys, log_key, origin)
    await open_log(database, origin, notary.vkey)
    alarms = Alarms()
    beacons = Beacons(
        database,
        notary,
        outside,
        chain=chain_of(settings.beacon_chain),
        urls=settings.beacon_urls if settings.outside else (),
        seconds=settings.beacon_seconds,
    )
    alarms.register(beacons.alarms)
    # Files that were named are read now, so that a wrong one is told at once; the system's store when it is first needed.
    pinned = load_roots(settings.stamp_roots) if settings.stamp_roots else None
    stamps = Stamps(
        database,
        notary,
        outside,
        urls=settings.stamp_urls if settings.outside else (),
        roots=lambda: pinned if pinned is not None else load_roots(()),
        seconds=settings.stamp_seconds,
    )
    alarms.register(stamps.alarms)
    witnesses = Witnesses(
        database,
        notary,
        quorum=settings.witness_quorum,
        seconds=settings.witness_seconds,
        enabled=settings.outside,
    )
    alarms.register(witnesses.alarms)
    witness_key = Ed25519PrivateKey.from_private_bytes(keyring.named("witness"))
    witnessing = Witnessing(database, Witness(f"deedbox-witness/{box_id.hex}", witness_key), origin)
    alarms.register(witnessing.alarms)
    brackets = Brackets(database, witnesses, settings.witness_quorum)
    permissions = standard_permissions(settings.sensitive_networks)
    trail = Trail(database, notary)
    trail_reading = TrailReading(database, notary, permissions, trail)
    accounts = Accounts(database, permissions, rules=password_rules(settings))
    door = open_door(settings, database, accounts, permissions, trail)
    api_keys = ApiKeys(database, permissions, trail)
    identities = OutsideIdentities(database, trail)
    identifiers = Identifiers(database, keys, notary, permissions, beacons, provers)
    alarms.register(identifiers.figures.alarms)
    authority = await Authority.open(database, keyring.named("ca"))
    custody, journals, uploads = Custody(database, notary), Journals(database), Uploads(database, vault)
    jobs, handlers = Jobs(database), Handlers()
    committer = Committer(database, vault, keys, custody, journals, uploads, jobs)
    intake_key = Ed25519PrivateKey.from_private_bytes(keyring.named("intake"))
    device = BoxDevice(database, notary, authority, journals, box=box_id, name=settings.name, key=intake_key)
    deriver = Deriver(database, vault, keys, custody)
    dispatcher = Dispatcher.of(settings)
    reading = Reading(database, vault, deriver, dispatcher, index, jobs)
    reading.register(handlers)
    committer.readers.append(reading_jobs)
    cases = Cases(
        database,
        keys,
        notary,
        permissions,
        trail,
        numbering=settings.case_numbering,
        any_number=settings.any_case_number,
    )
    timeline = Timeline(database, permissions)
    timeline.register(*OWN_SOURCES, *EXHIBIT_SOURCES, ITEM_SOURCE, PAPER_SOURCE)
    time = TimeGathering(database, notary, stamps.store, brackets)
    exhibits = Exhibits(database, vault, keys, notary, custody, permissions)
    items = Items(database, notary, permissions)
    trail.lies_in_cases("item")
    refiling = Refiling(database, vault, keys, custody, exhibits, permissions, trail)
    following = FollowingIndex(index, jobs, reading.index_exhibit)
    following.register(handlers)
    refiling.followers.append(following)
    verifying = Verifying(database, vault, notary, exhibits, brackets)
    bundling = Bundling(database, vault, keys, notary, custody, exhibits, cases, permissions, time)
    deskless = Deskless(database, uploads, committer, device, permissions, settings.data)
    signatory = Signatory(
        authority,
        keyring.named("papers"),
        settings.name,
        box_id,
        outside,
        stamps.urls,
        lambda: load_roots(settings.stamp_roots),
    )
    papers = Papers(
        database,
        permissions,
        exhibits,
        Gathering(database, vault, notary, custody, exhibits, cases, verifying, settings.name, brackets.of),
        Builder(vault, dispatcher, lambda: ValidationRun(deskless, exhibits, verifying, bundling), press),
        signatory,
        PaperStore(database, vault, keys, notary, custody),
        settings.exhibit_numbering,
    )
    erasures_list = ErasuresList(settings.erasures_file, keyring.named("database"))
    carrying_out = CarryingOut(database, vault, keys, notary, custody, index, erasures_list)
    erasers, person_export = Erasers(), PersonExport()
    register_erasers(erasers)
    PersonSections(permissions).register(person_export)
    disposal_wait = timedelta(days=settings.disposal_wait_days)
    erasures = Erasures(
        database,
        keys,
        notary,
        permissions,
        trail,
        erasers,
        erasures_list,
        wait=disposal_wait,
        backups=timedelta(days=settings.backup_days),
    )
    recovery = X25519PrivateKey.from_private_bytes(keyring.named("recovery")).public_key().public_bytes_raw()

    whereabouts = Whereabouts(settings.device_port)

    def facts(host: str) -> BoxFacts:
        return BoxFacts(
            device_url(host or settings.device_host, whereabouts.device_port), origin, notary.vkey, recovery
        )

    return Box(
        settings=settings,
        whereabouts=whereabouts,
        database=database,
        keys=keys,
        vault=vault,
        notary=notary,
        sequencer=Sequencer(database, notary, log_key),
        outside=outside,
        alarms=alarms,
        beacons=beacons,
        stamps=stamps,
        brackets=brackets,
        witnesses=witnesses,
        witnessing=witnessing,
        witness_changes=WitnessChanges(database, permissions, trail, witnesses, witnessing),
        identifiers=identifiers,
        reconciling=Reconciling(database, keys, notary, permissions, identifiers),
        permissions=permissions,
        trail=trail,
        trail_reading=trail_reading,
        live=Live(database, permissions, alarms.now),
        membership=Membership(database, permissions, trail),
        walls=Walls(
            database,
            permissions,
            trail,
            open_for=timedelta(hours=settings.glass_hours),
            wait=timedelta(hours=settings.glass_wait_hours),
        ),
        accounts=accounts,
        api_keys=api_keys,
        rate_limits=RateLimits(
            Limits(settings.calls_per_second, settings.device_calls_per_second, settings.stranger_calls_per_minute)
        ),
        sessions=door.sessions,
        second_factors=door.second_factors,
        signing_in=door.signing_in,
        invitations=door.invitations,
        account_changes=door.account_changes,
        known_browsers=door.known_browsers,
        relying_parties=door.relying_parties,
        outside_identities=identities,
        outside_tokens=outside_tokens(database, permissions, identities, outside, settings.token_issuers),
        oidc=Oidc(database, accounts, identities, outside, oidc_settings(settings, permissions)),
        signed_calls=SignedCalls(database, api_keys),
        authority=authority,
        devices=Devices(database, authority, notary),
        pairing=Pairing(database, authority, notary, facts),
        cases=cases,
        case_files=CaseFiles(
            database,
            vault,
            keys,
            notary,
            custody,
            exhibits,
            identifiers,
            timeline,
            permissions,
            trail,
            settings.data,
            settings.name,
        ),
        case_listing=Listing(database, permissions),
        case_search=CaseSearch(database, permissions),
        case_relations=Relations(database, permissions, trail),
        case_parties=Parties(database, permissions, trail),
        case_events=Events(database, permissions, trail),
        case_artifacts=Artifacts(database, notary, permissions, trail),
        conflict_checks=Conflicts(database, permissions, trail, threshold=settings.conflict_threshold),
        timeline=timeline,
        custody=custody,
        journals=journals,
        uploads=uploads,
        committer=committer,
        intake=Intake(
            database, vault, keys, notary, journals, uploads, committer, Possession(database, vault), (beacons.chain,)
        ),
        deskless=deskless,
        receipts=Receipts(database, notary, exhibits),
        senders=Senders(database, permissions),
        exhibits=exhibits,
        refiling=refiling,
        finding=Finding(database, exhibits, brackets, permissions),
        links=Links(database, exhibits, permissions, trail),
        items=items,
        handovers=Handovers(database, notary, items, permissions, trail),
        deriver=deriver,
        verifying=verifying,
        bundling=bundling,
        jobs=jobs,
        handlers=handlers,
        reading=reading,
        index=index,
        search=Search(database, permissions, index),
        papers=papers,
        audit_reports=AuditReports(database, notary, trail, trail_reading, press, signatory, settings.name),
        holds=Holds(database, keys, custody, permissions, trail),
        erasures_list=erasures_list,
        erasures=erasures,
        applying=Applying(database, erasures_list, carrying_out, erasures),
        retaining=Retaining(database, permissions, trail),
        erasers=erasers,
        person_export=person_export,
        person_exporting=PersonExporting(database, permissions, trail, person_export),
        carrying_out=carrying_out,
        disposals=Disposals(database, permissions, trail, carrying_out, wait=disposal_wait),
    )


def device_url(host: str, port: int) -> str:
    """Where a desk that reached the people's listener as `host` finds the device listener."""
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


async def _box_id(database: Database) -> UUID:
    """The box's own id, random, made once."""
    async with database.transaction():
        await database.execute(
            "INSERT INTO setting (name, value) VALUES ({}, {}) ON CONFLICT (name) DO NOTHING",
            "box_id",
            os.urandom(16).hex(),
        )
        row = await database.fetch_one("SELECT value FROM setting WHERE name = {}", "box_id")
    assert row is not None
    return UUID(hex=row["value"])


def make_folders(settings: Settings) -> None:
    """The data folder and those in it, private to the box's user."""
    for folder in (settings.data, settings.keys_folder, settings.database_folder):
        durable.make_folder(folder)
