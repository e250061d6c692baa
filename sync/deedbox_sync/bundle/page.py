"""VERIFY.md, the page that lets a person check a bundle by hand. It is the same in every bundle.

Its `sh` blocks are run by the tests as they stand, on good bundles and on tampered ones: block 1 prepares, each later
block needs only block 1, says what holds, and ends with a status other than 0 where something does not.
"""

VERIFY_TEXT = r"""# How to check this bundle

This folder holds evidence and the proof that goes with it. You need neither the firm that made it, nor its software, nor a
network. There are two ways:

- **By program.** `deedbox-verify FOLDER` (or the ZIP) does everything below and more, in one step, and names whatever is
  wrong. It is free software, a part of Deedbox, and needs nothing but Python and the library `cryptography`.
- **By hand**, with tools that come with any Linux or macOS: `sh`, `sed`, `grep`, `base64`, `sha256sum`, `xxd`, and
  `openssl` 3 or newer. On macOS write `shasum -a 256` for `sha256sum`. On Windows, Git for Windows brings all of them; with
  nothing but Windows see the last section.

Three questions are kept apart. *Intact*: do bytes, signatures and order agree (sections 2 to 7)? *Anchored*: did somebody
outside the firm see it, and when (section 8)? *Attributed*: which device and which person took it in (sections 3 and 7)?

Nothing here proves that what was captured is true, nor the case's number and title, the exhibits' numbers and the day this
bundle was made, nor `custody.pdf` and this page, which are for reading. Times are those of desk and box, but for section 8.
Compare the log's key, printed by section 4, with one that reached you by another way: without that, you know only that the
bundle agrees with itself. A bundle cannot show that no log entry which it leaves out revoked a device.

## 1. Prepare

Open a shell in the folder that has this page, and paste this block. It checks nothing; it defines three words that the later
blocks use. Then paste the other blocks in any order. Each prints one line per thing that holds; a block that
stops short of its last line has found something wrong.

```sh
export LC_ALL=C
T=$(mktemp -d)

sha() { sha256sum | cut -c 1-64; }

# opens FIELD SALT VALUE ENTRY: is this salt and value (hex) what the log entry in the file ENTRY commits to?
opens() {
  commitment=$( { printf 'deedbox/v1/%s\000' "$1"; printf '%s%s' "$2" "$3" | xxd -r -p; } | sha )
  grep -q "\"$1\":\"$commitment\"" "$4" || { echo "WRONG: $1 is not what the log entry commits to"; return 1; }
}

# in_log INDEX ENTRY PATH: does the path of hashes lead from the entry to the root in the checkpoint? (RFC 9162, 2.1.3.2)
in_log() {
  grep -q "\"seq\":$1," "$2" || { echo "WRONG: the entry is not number $1"; return 1; }
  at=$1; last=$(( $(sed -n 2p data/log/checkpoint) - 1 ))
  [ "$at" -le "$last" ] || { echo "WRONG: the log has no entry $1"; return 1; }
  node=$( { printf '\000'; cat "$2"; } | sha )
  while read -r line; do
    [ "$last" -gt 0 ] || { echo "WRONG: the path is too long"; return 1; }
    sibling=$(printf %s "$line" | base64 -d | xxd -p -c 32)
    if [ $((at & 1)) = 1 ] || [ "$at" = "$last" ]; then
      node=$(printf '01%s%s' "$sibling" "$node" | xxd -r -p | sha)
      while [ $((at & 1)) = 0 ] && [ "$at" != 0 ]; do at=$((at >> 1)); last=$((last >> 1)); done
    else
      node=$(printf '01%s%s' "$node" "$sibling" | xxd -r -p | sha)
    fi
    at=$((at >> 1)); last=$((last >> 1))
  done < "$3"
  root=$(sed -n 3p data/log/checkpoint | base64 -d | xxd -p -c 32)
  [ "$last" = 0 ] && [ "$node" = "$root" ] || { echo "WRONG: entry $1 is not in the log"; return 1; }
}

# entry INDEX: writes log entry INDEX from data/log/entries.json to $T/entry, and checks that it is in the log.
entry() {
  sed 's/{"entry":/\
&/g' data/log/entries.json | grep "\"index\":$1," > "$T/found" || { echo "WRONG: there is no log entry $1"; return 1; }
  sed 's/^{"entry":"\([^"]*\)".*/\1/' "$T/found" | base64 -d > "$T/entry"
  sed -e 's/.*"proof":\[//' -e 's/\].*//' "$T/found" | tr -d '"\n' | tr ',' '\n' > "$T/path"
  [ ! -s "$T/path" ] || echo >> "$T/path"
  in_log "$1" "$T/entry" "$T/path"
}
```

## 2. Every file is there, whole, and nothing else

```sh
( set -e
  sha256sum --strict --quiet -c manifest-sha256.txt
  sha256sum --strict --quiet -c tagmanifest-sha256.txt
  sed 's/^[0-9a-f]*  //' manifest-sha256.txt | sort > "$T/listed"
  find data ! -type d | sort | cmp - "$T/listed"
  sed 's/^[0-9a-f]*  //' tagmanifest-sha256.txt | sort > "$T/listed"
  find . ! -type d ! -path './data/*' ! -name tagmanifest-sha256.txt | sed 's|^\./||' | sort | cmp - "$T/listed"
  echo "Files: every digest is right and nothing is unlisted." )
```

## 3. Each original is what a device signed for

`statement.dsse.json` is the capture statement: who, when, where, which file, and its SHA-256, signed by the device (DSSE,
Ed25519). Read it: `sed 's/.*"payload":"\([^"]*\)".*/\1/' data/exhibits/1/statement.dsse.json | base64 -d`

```sh
( set -e
  for E in data/exhibits/*; do
    sed 's/.*"payload":"\([^"]*\)".*/\1/' "$E/statement.dsse.json" | base64 -d > "$T/payload"
    sed 's/.*"sig":"\([^"]*\)".*/\1/' "$E/statement.dsse.json" | base64 -d > "$T/sig"
    { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$T/payload")"; cat "$T/payload"; } > "$T/signed"
    device=$(sed 's/.*"device":{"id":"\([^"]*\)","key":"\([^"]*\)".*/\1/' "$T/payload")
    key=$(sed 's/.*"device":{"id":"\([^"]*\)","key":"\([^"]*\)".*/\2/' "$T/payload")
    [ "$(openssl pkey -pubin -in "data/devices/$device.pem" -outform DER | tail -c 32 | sha)" = "$key" ]
    openssl pkeyutl -verify -pubin -inkey "data/devices/$device.pem" -rawin -in "$T/signed" -sigfile "$T/sig"
    content=$(sed 's/.*"subject":\[{"digest":{[^}]*"sha256":"\([0-9a-f]*\)".*/\1/' "$T/payload")
    [ "$(cat "$E"/original/* | sha)" = "$content" ]
    echo "$E: signed by device $device, and the original is the file it signed for."
  done
  echo "Statements: all hold." )
```

## 4. The log's checkpoint is signed

The log is a list that can only grow; its checkpoint is its size and the root of its hash tree (RFC 6962), signed by the
firm's box. Compare the key with the one you were given (the part after the second `+`, less its first byte).

```sh
( set -e
  sed '/^$/,$d' data/log/checkpoint > "$T/body"
  sed -n "s|^— $(head -n 1 "$T/body") ||p" data/log/checkpoint | head -n 1 | base64 -d | tail -c 64 > "$T/sig"
  openssl pkeyutl -verify -pubin -inkey data/log/key.pem -rawin -in "$T/body" -sigfile "$T/sig"
  echo "Log $(head -n 1 "$T/body"), $(sed -n 2p "$T/body") entries, signed by the key:"
  openssl pkey -pubin -in data/log/key.pem -outform DER | tail -c 32 | base64 )
```

## 5. Each exhibit's receipt is in the log

The log does not hold the statement; it holds a salted commitment to it, and the receipt has the salt.

```sh
( set -e
  for E in data/exhibits/*; do
    sed 's/.*"entry":"\([^"]*\)".*/\1/' "$E/receipt.json" | base64 -d > "$T/entry"
    printf '%b' "$(sed 's/.*"proof":"\([^"]*\)".*/\1/' "$E/receipt.json")" > "$T/proof"
    sed '1,/^$/d' "$T/proof" | cmp - data/log/checkpoint
    index=$(sed -n '2s/^index //p' "$T/proof")
    sed -e '1,2d' -e '/^$/,$d' "$T/proof" > "$T/path"
    in_log "$index" "$T/entry" "$T/path"
    statement=$(sed 's/.*"payload":"\([^"]*\)".*/\1/' "$E/statement.dsse.json" | base64 -d | sha)
    salt=$(sed 's/.*"statement":{"salt":"\([0-9a-f]*\)".*/\1/' "$E/receipt.json")
    opens statement "$salt" "$statement" "$T/entry"
    salt=$(sed 's/.*"content":{"salt":"\([0-9a-f]*\)".*/\1/' "$E/receipt.json")
    opens content "$salt" "$(cat "$E"/original/* | sha)" "$T/entry"
    echo "$E: log entry $index, $(sed 's/.*"time":"\([^"]*\)".*/\1/' "$T/entry"), commits to this statement and these bytes."
  done
  echo "Receipts: all hold." )
```

## 6. What happened to each exhibit, without a gap

Each custody record names the SHA-256 of the one before it. A withheld event stands there as its digest alone, so that nothing can
be left out unseen; the last event is the export of this very bundle.

```sh
( set -e
  bundle=$(sed 's/^{"box":"[^"]*","bundle":"\([^"]*\)".*/\1/' data/bundle.json)
  for E in data/exhibits/*; do
    sed -e 's/^{"events":\[//' -e 's/\],"exhibit":"[^"]*","v":1}$//' -e 's/,{"commitment":/\
{"commitment":/g' "$E/custody.json" > "$T/events"
    echo >> "$T/events"
    number=0; previous=$(printf '%064d' 0)
    while read -r event; do
      number=$((number + 1))
      printf '%s' "$event" > "$T/event"
      grep -q "^{\"commitment\":[^,]*,\"index\":[0-9]*,\"number\":$number," "$T/event"
      index=$(sed 's/^{"commitment":[^,]*,"index":\([0-9]*\),.*/\1/' "$T/event")
      entry "$index"
      if grep -q '^{"commitment":null' "$T/event"; then
        sed -e 's/.*"record":{"actor":/{"actor":/' -e 's/}$//' "$T/event" | tr -d '\n' > "$T/record"
        grep -q "\"number\":$number,\"previous\":\"$previous\"" "$T/record"
        previous=$(sha < "$T/record")
        what=$(sed 's/.*"kind":"\([^"]*\)","number":.*/\1/' "$T/record")
      else
        previous=$(sed 's/^{"commitment":"\([0-9a-f]*\)".*/\1/' "$T/event")
        what="withheld"
      fi
      opens record "$(sed 's/.*"record":{"salt":"\([0-9a-f]*\)".*/\1/' "$T/event")" "$previous" "$T/entry"
      echo "$E: event $number, $what, log entry $index"
    done < "$T/events"
    grep -q "\"detail\":{\"bundle\":\"$bundle\"" "$T/record"
    [ "$what" = exported ]
  done
  echo "Custody: all hold." )
```

## 7. How the log came to trust each device

```sh
( set -e
  box=$(sed 's/^{"box":"\([^"]*\)".*/\1/' data/bundle.json)
  for D in data/devices/*.json; do
    key=$(openssl pkey -pubin -in "${D%.json}.pem" -outform DER | tail -c 32 | xxd -p -c 32)
    sed -e 's/.*"records":\[//' -e 's/\],"statement_key":.*//' -e 's/,{"certificate":/\
{"certificate":/g' "$D" | tr -s '\n' > "$T/records"
    [ ! -s "$T/records" ] || echo >> "$T/records"
    while read -r line; do
      printf '%s' "$line" > "$T/line"
      sed -e 's/.*"record":{"account":/{"account":/' -e 's/}$//' "$T/line" | tr -d '\n' > "$T/record"
      index=$(sed 's/^{"certificate":[^,]*,"index":\([0-9]*\),.*/\1/' "$T/line")
      entry "$index"
      opens record "$(sed 's/.*"record":{"salt":"\([0-9a-f]*\)".*/\1/' "$T/line")" "$(sha < "$T/record")" "$T/entry"
      grep -q "\"statement_key\":\"$key\"" "$T/record"
      echo "$D: $(sed 's/.*"kind":"\([^"]*\)".*/\1/' "$T/record") at log entry $index"
    done < "$T/records"
    grep -q '"kind":"device.paired"' "$D" || [ "$D" = "data/devices/$box.json" ] || { echo "WRONG: never paired"; exit 1; }
  done
  echo "Devices: all hold. A device must be paired, and not revoked, at an earlier log entry than its exhibits' receipts." )
```

## 8. Outside time, where there is any

`data/stamps/SIZE-K.tsr` is a time stamp (RFC 3161) over the checkpoint `SIZE-K.txt`, which covers all log entries below SIZE.
Put the authority's root certificate, as you know it from elsewhere, into a file and name it in `ROOTS`. That the older
checkpoint begins the same log is proven by `SIZE.json` (RFC 9162, 2.1.4.2), which `deedbox-verify` checks.

```sh
( set -e
  for S in data/stamps/*.tsr; do
    [ -e "$S" ] || { echo "There are no time stamps in this bundle."; break; }
    openssl ts -verify -in "$S" -data "${S%.tsr}.txt" -CAfile "${ROOTS:-roots.pem}"
    echo "$S: $(openssl ts -reply -in "$S" -text | grep '^Time stamp:')"
  done )
```

Further lines of `data/log/checkpoint` are cosignatures of witnesses (c2sp.org/tlog-cosignature): after the four bytes of key
id eight bytes of POSIX time T and an Ed25519 signature over `cosignature/v1`, a line `time T`, and the checkpoint's three lines.

## Windows without other tools

(These lines were not run by our tests, which have no Windows.) Windows can compute SHA-256: compare with the file's line in
`manifest-sha256.txt`.

```bat
certutil -hashfile data\bundle.json SHA256
certutil -hashfile manifest-sha256.txt SHA256
```

In PowerShell, all files at once; it prints the names of files that differ, and nothing else:

```powershell
Get-Content manifest-sha256.txt -Encoding utf8 | ForEach-Object {
  $digest, $path = $_ -split '  ', 2
  if ((Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash -ne $digest) { $path } }
```

Signatures and the log need openssl: the blocks above run in the shell of Git for Windows.
"""


def encode_page() -> bytes:
    return VERIFY_TEXT.encode()
