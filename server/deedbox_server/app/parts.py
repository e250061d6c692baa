"""What an open box consists of."""

from __future__ import annotations

from dataclasses import dataclass

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
from deedbox_server.database import Database
from deedbox_server.documents.service import Reading
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
from deedbox_server.evidence.receipts import Receipts
from deedbox_server.evidence.refile import Refiling
from deedbox_server.evidence.senders import Senders
from deedbox_server.evidence.uploads import Uploads
from deedbox_server.evidence.verifying import Verifying
from deedbox_server.jobs import Handlers, Jobs
from deedbox_server.notary.alarms import Alarms
from deedbox_server.notary.beacons import Beacons
from deedbox_server.notary.brackets import Brackets
from deedbox_server.notary.identifiers import Identifiers
from deedbox_server.notary.outside import Outside
from deedbox_server.notary.reconciling import Reconciling
from deedbox_server.notary.sequencer import Sequencer
from deedbox_server.notary.service import Notary
from deedbox_server.notary.stamps import Stamps
from deedbox_server.notary.witness_changes import WitnessChanges
from deedbox_server.notary.witnesses import Witnesses
from deedbox_server.notary.witnessing import Witnessing
from deedbox_server.papers.audit_reports import AuditReports
from deedbox_server.papers.service import Papers
from deedbox_server.people.account_changes import AccountChanges
from deedbox_server.people.accounts import Accounts
from deedbox_server.people.authority import Authority
from deedbox_server.people.devices import Devices
from deedbox_server.people.erasing import Erasers, PersonExport
from deedbox_server.people.invitations import Invitations
from deedbox_server.people.key_service import ApiKeys
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.membership import Membership
from deedbox_server.people.oidc import Oidc
from deedbox_server.people.outside_identities import OutsideIdentities
from deedbox_server.people.outside_tokens import OutsideTokens
from deedbox_server.people.pairing import Pairing
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.people.relying_party import RelyingParties
from deedbox_server.people.second_factors import SecondFactors
from deedbox_server.people.sessions import Sessions
from deedbox_server.people.signed_calls import SignedCalls
from deedbox_server.people.signing_in import SigningIn
from deedbox_server.people.walls import Walls
from deedbox_server.retention.applying import Applying
from deedbox_server.retention.carrying_out import CarryingOut
from deedbox_server.retention.disposals import Disposals
from deedbox_server.retention.erasures import Erasures
from deedbox_server.retention.erasures_list import ErasuresList
from deedbox_server.retention.holds import Holds
from deedbox_server.retention.person_export import PersonExporting
from deedbox_server.retention.retaining import Retaining
from deedbox_server.search.index import SearchIndex
from deedbox_server.search.service import Search
from deedbox_server.settings import Settings
from deedbox_server.trail import Live, Trail, TrailReading
from deedbox_server.vault import Vault
from deedbox_server.vault.key_store import KeyStore


@dataclass
class Whereabouts:
    """The device listener's port: as set, until the system has chosen one for a 0."""

    device_port: int


@dataclass(frozen=True)
class Box:
    """Every service of one open box."""

    settings: Settings
    whereabouts: Whereabouts
    database: Database
    keys: KeyStore
    vault: Vault
    notary: Notary
    sequencer: Sequencer
    outside: Outside
    alarms: Alarms
    beacons: Beacons
    stamps: Stamps
    brackets: Brackets
    witnesses: Witnesses
    witnessing: Witnessing
    witness_changes: WitnessChanges
    identifiers: Identifiers
    reconciling: Reconciling
    permissions: Permissions
    trail: Trail
    trail_reading: TrailReading
    live: Live
    membership: Membership
    walls: Walls
    accounts: Accounts
    api_keys: ApiKeys
    rate_limits: RateLimits
    outside_identities: OutsideIdentities
    outside_tokens: OutsideTokens
    oidc: Oidc
    sessions: Sessions
    second_factors: SecondFactors
    signing_in: SigningIn
    invitations: Invitations
    account_changes: AccountChanges
    known_browsers: KnownBrowsers
    relying_parties: RelyingParties
    signed_calls: SignedCalls
    authority: Authority
    devices: Devices
    pairing: Pairing
    cases: Cases
    timeline: Timeline
    case_files: CaseFiles
    case_listing: Listing
    case_search: CaseSearch
    case_relations: Relations
    case_parties: Parties
    case_events: Events
    case_artifacts: Artifacts
    conflict_checks: Conflicts
    custody: Custody
    journals: Journals
    uploads: Uploads
    committer: Committer
    intake: Intake
    deskless: Deskless
    receipts: Receipts
    senders: Senders
    exhibits: Exhibits
    refiling: Refiling
    finding: Finding
    links: Links
    items: Items
    handovers: Handovers
    deriver: Deriver
    verifying: Verifying
    bundling: Bundling
    jobs: Jobs
    handlers: Handlers
    reading: Reading
    index: SearchIndex
    search: Search
    papers: Papers
    audit_reports: AuditReports
    holds: Holds
    erasures_list: ErasuresList
    erasures: Erasures
    applying: Applying
    retaining: Retaining
    erasers: Erasers
    person_export: PersonExport
    person_exporting: PersonExporting
    carrying_out: CarryingOut
    disposals: Disposals
