// Where each file of a bundle lies (formats/bundle.md), and how long it may be. Paths are relative to the bag, with `/`.

export const BAGIT = "bagit.txt";
export const BAG_INFO = "bag-info.txt";
export const MANIFEST = "manifest-sha256.txt";
export const TAG_MANIFEST = "tagmanifest-sha256.txt";
export const PAGE = "VERIFY.md";
export const INDEX = "data/bundle.json";
export const CUSTODY_PAPER = "data/custody.pdf";
export const CHECKPOINT = "data/log/checkpoint";
export const LOG_KEY = "data/log/key.pem";
export const ENTRIES = "data/log/entries.json";
export const TIME = "data/time.json";

/** The tag files that the tag manifest lists; it cannot list itself. */
export const TAG_FILES = [PAGE, BAG_INFO, BAGIT, MANIFEST];

export const MAX_TAG_FILE = 1 << 16; // bagit.txt, bag-info.txt, VERIFY.md: a page or two
export const MAX_MANIFEST = 1 << 26; // 200,000 files of 128-byte names take 45 MiB
export const MAX_INDEX = 1 << 26; // 10,000 exhibits with five derived documents take 20 MiB
export const MAX_ENTRIES = 1 << 28; // 100,000 entries with proofs of 20 hashes take 180 MiB
export const MAX_CUSTODY = 1 << 24; // 10,000 events of one exhibit
export const MAX_DEVICE = 1 << 22; // a certificate a month for fifty years
export const MAX_PEM = 1 << 12; // one Ed25519 key
export const MAX_NOTE = 4 * 98_304; // what note.js takes in characters, all of them the widest
export const MAX_TOKEN = 1 << 18; // a time stamp with a long certificate chain
export const MAX_TOKENS = 16; // authorities that stamped one checkpoint
export const MAX_REVOCATION = 1 << 24; // the CRLs of a public authority's whole chain
export const MAX_RUN = 20_000; // entries from a beacon to an exhibit: a day of a busy box
export const MAX_TIME = 1 << 28; // as many entries as MAX_ENTRIES
export const MAX_CONSISTENCY = 1 << 14; // 64 hashes
export const MAX_FILES = 200_000; // files in one bundle; more exhibits go into a second one

export const topFolder = (bundle) => `deedbox-bundle-${bundle}`;
export const deviceRecord = (device) => `data/devices/${device}.json`;
export const deviceKey = (device) => `data/devices/${device}.pem`;
export const stampNote = (size) => `data/stamps/${size}.note`;
export const stampConsistency = (size) => `data/stamps/${size}.json`;
export const stampToken = (size, number) => `data/stamps/${size}-${number}.tsr`;
export const stampText = (size, number) => `data/stamps/${size}-${number}.txt`; // the note as it was when it was stamped
export const stampRevocation = (size, number) => `data/stamps/${size}-${number}.json`;
export const original = (exhibit, safe) => `data/exhibits/${exhibit}/original/${safe}`;
export const statement = (exhibit) => `data/exhibits/${exhibit}/statement.dsse.json`;
export const sigstore = (exhibit) => `data/exhibits/${exhibit}/sigstore.json`;
export const receipt = (exhibit) => `data/exhibits/${exhibit}/receipt.json`;
export const custody = (exhibit) => `data/exhibits/${exhibit}/custody.json`;
export const derivedFolder = (exhibit) => `data/exhibits/${exhibit}/derived/`;
