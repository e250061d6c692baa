"""VERIFY.md, the page that lets a person check a bundle by hand. It is the same in every bundle.

Its `sh` blocks are run by the tests as they stand, on good bundles and on tampered ones: block 1 prepares, each later
block needs only block 1, says what holds, and ends with a status other than 0 where something does not.
"""

VERIFY_TEXT = r"""# How to check this bundle

This folder holds evidence and the proof that goes with it. You need neither the firm that made it, nor its software, nor a
network. There are two ways:

- **By program.** `deedbox-verify FOLDER` (or the ZIP) does everything below and more, in one step, and names whatever is
  wrong. It is free software, a part of Deedbox: as one file that needs nothing, as a Python package, and as one page for a
  browser, which works with the network off. All three give the same verdict.
- **By hand**, with tools that come with any Linux: `sh`, `sed`, `grep`, `base64`, `sha256sum`, `xxd`, `date`, and `openssl` 3
  or newer. **macOS** has all but the last: its own `openssl` is another one that lacks what is used here, so install openssl 3
  (Homebrew has it) and put it first in `PATH`; block 1 sees to the rest. On **Windows** the shell of Git for Windows has all of
  them; with nothing but Windows see the last section.

Three questions are kept apart. *Intact*: do bytes, signatures and order agree (sections 2 to 7)? *Anchored*: between which
times, and who outside the firm says so (sections 8 to 12)? *Attributed*: which device and which person took it in (sections
3 and 7)?

Nothing here proves that what was captured is true, nor the case's number and title, the exhibits' numbers and the day this
bundle was made, nor `custody.pdf` and this page, which are for reading. Times are those of desk and box, but for sections 9
to 12. Compare the log's key, printed by section 4, with one that reached you by another way: without that, you know only
that the bundle agrees with itself. A bundle cannot show that no log entry which it leaves out revoked a device.

## 1. Prepare

Open a shell in the folder that has this page, and paste this block. It checks nothing; it defines some words that the
later blocks use. Then paste the other blocks in any order. Each prints one line per thing that holds; a block that stops
short of its last line has found something wrong.

```sh
export LC_ALL=C
T=$(mktemp -d)

# Other systems have these under other names.
command -v sha256sum > /dev/null || sha256sum() { shasum -a 256 "$@"; }
[ "$(printf 'YQ==' | base64 -d 2> /dev/null)" = a ] ||
  base64() { if [ $# = 0 ]; then command base64; else command base64 -D; fi; }

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

# signed_by_log NOTE: is this checkpoint of this log, and signed by its key? Writes what is signed to $T/body.
signed_by_log() {
  sed '/^$/,$d' "$1" > "$T/body"
  origin=$(head -n 1 data/log/checkpoint)
  [ "$(head -n 1 "$T/body")" = "$origin" ] || { echo "WRONG: $1 is of another log"; return 1; }
  sed -n "s|^— $origin ||p" "$1" | head -n 1 | base64 -d | tail -c 64 > "$T/sig"
  openssl pkeyutl -verify -pubin -inkey data/log/key.pem -rawin -in "$T/body" -sigfile "$T/sig"
}

# when SECONDS: the time of so many seconds since 1970. seconds_of TIME: the other way, for a time as openssl prints it.
when() { date -u -d "@$1" 2> /dev/null || date -u -r "$1"; }
seconds_of() { date -u -d "$1" +%s 2> /dev/null || date -ju -f '%b %d %T %Y %Z' "$1" +%s; }
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
  signed_by_log data/log/checkpoint
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

Each custody record names the SHA-256 of the one before it. A withheld event stands there as its digest alone, so that
nothing can be left out unseen; the last event is the export of this very bundle.

```sh
( set -e
  bundle=$(sed 's/^{"box":"[^"]*","bundle":"\([^"]*\)".*/\1/' data/bundle.json)
  for E in data/exhibits/*; do
    sed -e 's/^{"events":\[//' -e 's/\],"exhibit":"[^"]*","v":1}$//' -e 's/,{"commitment":/\
{"commitment":/g' "$E/custody.json" > "$T/events"
    echo >> "$T/events"
    number=0; previous=$(printf '%064d' 0)
    while read -r event; do
      [ -n "$event" ] || continue
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
      [ -n "$line" ] || continue
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

## 8. Older checkpoints of the same log

`data/stamps/SIZE.note` is a checkpoint of the first SIZE entries that outsiders saw; `SIZE.json` proves that the log of
section 4 begins with them (RFC 9162, 2.1.4.2), and `SIZE-K.txt` is the same checkpoint as it was when it was stamped.

```sh
( set -e
  for N in data/stamps/*.note; do
    [ -e "$N" ] || { echo "There are none in this bundle."; break; }
    for S in "$N" "${N%.note}"-*.txt; do
      [ ! -e "$S" ] || { signed_by_log "$S"; sed '/^$/,$d' "$N" | cmp - "$T/body"; }
    done
    size=$(sed -n 2p "$N"); all=$(sed -n 2p data/log/checkpoint)
    [ "data/stamps/$size.note" = "$N" ] && [ "$size" -gt 0 ] && [ "$size" -le "$all" ]
    old=$(sed -n 3p "$N" | base64 -d | xxd -p -c 32); root=$(sed -n 3p data/log/checkpoint | base64 -d | xxd -p -c 32)
    sed -e 's/.*"consistency":\[//' -e 's/\].*//' "${N%.note}.json" | tr -d '"\n' | tr ',' '\n' > "$T/path"
    [ ! -s "$T/path" ] || echo >> "$T/path"
    at=$((size - 1)); last=$((all - 1))
    while [ $((at & 1)) = 1 ]; do at=$((at >> 1)); last=$((last >> 1)); done
    small=; large=
    [ "$at" != 0 ] || { small=$old; large=$old; }
    while read -r line; do
      sibling=$(printf %s "$line" | base64 -d | xxd -p -c 32)
      if [ -z "$small" ]; then small=$sibling; large=$sibling; continue; fi
      [ "$last" -gt 0 ]
      if [ $((at & 1)) = 1 ] || [ "$at" = "$last" ]; then
        small=$(printf '01%s%s' "$sibling" "$small" | xxd -r -p | sha)
        large=$(printf '01%s%s' "$sibling" "$large" | xxd -r -p | sha)
        while [ $((at & 1)) = 0 ] && [ "$at" != 0 ]; do at=$((at >> 1)); last=$((last >> 1)); done
      else
        large=$(printf '01%s%s' "$large" "$sibling" | xxd -r -p | sha)
      fi
      at=$((at >> 1)); last=$((last >> 1))
    done < "$T/path"
    [ "$last" = 0 ] && [ "$small" = "$old" ] && [ "$large" = "$root" ] || { echo "WRONG: $N does not begin this log"; exit 1; }
    echo "$N: the log of $all entries begins with these $size."
  done
  echo "Older checkpoints: all hold." )
```

## 9. Time stamps: not after

`data/stamps/SIZE-K.tsr` is a time stamp (RFC 3161) over `SIZE-K.txt`: the log's entries below SIZE were there by then. Put
the roots of the authorities that you trust, as you know them from elsewhere, into a file in PEM form and name it in
`ROOTS`.

```sh
( set -e
  for S in data/stamps/*.tsr; do
    [ -e "$S" ] || { echo "There are no time stamps in this bundle."; break; }
    stamped=$(openssl ts -reply -in "$S" -text 2> /dev/null | sed -n -e 's/\.[0-9]* / /' -e 's/^Time stamp: //p')
    openssl ts -verify -in "$S" -data "${S%.tsr}.txt" -CAfile "${ROOTS:-roots.pem}" -attime "$(seconds_of "$stamped")"
    echo "$S: entries below $(sed -n 2p "${S%.tsr}.txt") by $stamped"
  done )
```

## 10. Revoked certificates

`data/stamps/SIZE-K.json` holds the lists of revoked certificates (CRL) of that time. A certificate that was revoked because
its key was compromised, or for no told reason, or before the stamp's time, spoils the stamp; this block stops at any that
was revoked.

```sh
( set -e
  for S in data/stamps/*.tsr; do
    [ -e "$S" ] || { echo "There are no time stamps in this bundle."; break; }
    openssl ts -reply -in "$S" -token_out -out "$T/token" 2> /dev/null
    openssl pkcs7 -inform DER -in "$T/token" -print_certs -out "$T/certificates"
    cat "$T/certificates" "${ROOTS:-roots.pem}" > "$T/issuers"
    sed -e 's/.*"crls":\[//' -e 's/\].*//' "${S%.tsr}.json" | tr -d '"\n' | tr ',' '\n' > "$T/lists"
    [ ! -s "$T/lists" ] || echo >> "$T/lists"
    lists=0
    while read -r line; do
      printf %s "$line" | base64 -d > "$T/crl"
      openssl crl -inform DER -in "$T/crl" -CAfile "$T/issuers" -noout 2>&1 | grep -q 'verify OK' || continue
      lists=$((lists + 1))
      issuer=$(openssl crl -inform DER -in "$T/crl" -noout -hash)
      openssl crl -inform DER -in "$T/crl" -noout -text > "$T/list"
      rm -f "$T/one"
      while IFS= read -r part; do
        printf '%s\n' "$part" >> "$T/one"
        [ "$part" = '-----END CERTIFICATE-----' ] || continue
        serial=$(openssl x509 -in "$T/one" -noout -serial | sed 's/.*=//')
        if [ "$(openssl x509 -in "$T/one" -noout -issuer_hash)" = "$issuer" ] &&
            grep -i -A 4 "Serial Number: $serial\$" "$T/list"; then
          echo "REVOKED: a certificate of $S"; exit 1
        fi
        rm "$T/one"
      done < "$T/certificates"
    done < "$T/lists"
    echo "$S: none of its certificates is on the $lists lists that came with it."
  done )
```

## 11. Witnesses: not after

Further lines of a checkpoint are cosignatures (c2sp.org/tlog-cosignature): who signed has seen a log that begins so, never
another. Put the keys of the witnesses that you trust (`NAME+ID+KEY`), one a line, into a file and name it in `WITNESSES`.
(Ed25519 keys only; for ML-DSA-44 use the program.)

```sh
( set -e
  [ -e "${WITNESSES:-witnesses.txt}" ] || { echo "You trust no witness yet: nothing was checked."; exit 0; }
  while read -r vkey; do
    name=${vkey%%+*}; rest=${vkey#*+}; id=${rest%%+*}
    [ -n "$name" ] || continue
    printf %s "${rest#*+}" | base64 -d > "$T/vkey"
    [ "$(head -c 1 "$T/vkey" | xxd -p)" = 04 ] || { echo "$name: not an Ed25519 key, not checked"; continue; }
    { printf '302a300506032b6570032100' | xxd -r -p; tail -c 32 "$T/vkey"; } > "$T/key"
    for N in data/log/checkpoint data/stamps/*.note; do
      [ -e "$N" ] || continue
      sed -n "s|^— $name ||p" "$N" > "$T/lines"
      while read -r line; do
        printf %s "$line" | base64 -d > "$T/cosignature"
        [ "$(head -c 4 "$T/cosignature" | xxd -p)" = "$id" ] || continue
        time=$((0x$(head -c 12 "$T/cosignature" | tail -c 8 | xxd -p)))
        { printf 'cosignature/v1\ntime %d\n' "$time"; sed '/^$/,$d' "$N"; } > "$T/signed"
        tail -c 64 "$T/cosignature" > "$T/sig"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$T/key" -rawin -in "$T/signed" -sigfile "$T/sig"
        echo "$N: $name had seen the $(sed -n 2p "$N") entries by $(when "$time")"
      done < "$T/lines"
    done
  done < "${WITNESSES:-witnesses.txt}" )
```

## 12. Beacons: not before

`data/time.json` holds stretches of the log that begin with a beacon, a number that nobody knew before its time (drand).
Each entry contains the digest of the one before; so all that follow were written after it.

```sh
( set -e
  quicknet=52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971
  sed 's/{"entries":\[/\
&/g' data/time.json | sed -n 's/^{"entries":\["\(.*\)"\],"first":\([0-9]*\)}.*/\2 \1/p' > "$T/runs"
  echo >> "$T/runs"
  while read -r number entries; do
    [ -n "$number" ] || continue
    first=$number; previous=
    printf '%s\n' "$entries" | sed 's/","/\
/g' > "$T/run"
    while read -r line; do
      printf %s "$line" | base64 -d > "$T/next"
      grep -q "\"seq\":$number," "$T/next"
      [ -z "$previous" ] || grep -q "\"prev\":\"$previous\"" "$T/next" || { echo "WRONG: entry $number does not follow"; exit 1; }
      if [ -z "$previous" ]; then
        grep -q '"kind":"time.beacon"' "$T/next"
        chain=$(sed -n 's/.*"chain":"\([0-9a-f]*\)".*/\1/p' "$T/next"); round=$(sed -n 's/.*"round":\([0-9]*\).*/\1/p' "$T/next")
        value=$(sed -n 's/.*"signature":"\([0-9a-f]*\)".*/\1/p' "$T/next")
        [ -n "$round" ]
      fi
      previous=$(sha < "$T/next"); number=$((number + 1))
    done < "$T/run"
    entry $((number - 1))
    cmp "$T/entry" "$T/next"
    echo "Log entries $((first + 1)) to $((number - 1)) are later than round $round of the drand chain $chain"
    [ "$chain" != "$quicknet" ] || echo "  (quicknet), which was public at $(when $((1692803367 + 3 * (round - 1))))"
    echo "  if its signature is $value"
  done < "$T/runs"
  echo "Stretches: all hold." )
```

That the round has this signature can be seen, with a network, at `https://api.drand.sh/CHAIN/public/ROUND`, or in what
others kept of it; `deedbox-verify` needs neither and checks it by the chain's public key (BLS, which openssl lacks).

## Windows without other tools

(These lines were not run by our tests, which have no Windows; nor were those for macOS, but for `shasum`.) Windows can
compute SHA-256: compare with the file's line in `manifest-sha256.txt`.

```bat
certutil -hashfile data\bundle.json SHA256
certutil -hashfile manifest-sha256.txt SHA256
```

In PowerShell, all files at once; it prints the names of files that differ, are missing, or are not listed, and nothing
else:

```powershell
$listed = @{}
Get-Content manifest-sha256.txt, tagmanifest-sha256.txt -Encoding utf8 | ForEach-Object {
  $digest, $path = $_ -split '  ', 2
  $listed[$path] = $true
  if (-not (Test-Path -LiteralPath $path)) { "missing: $path" }
  elseif ((Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash -ne $digest) { "differs: $path" } }
$here = (Get-Location).Path.Length + 1
Get-ChildItem -Recurse -File | ForEach-Object { $_.FullName.Substring($here) -replace '\\', '/' } |
  Where-Object { -not $listed[$_] -and $_ -ne 'tagmanifest-sha256.txt' } | ForEach-Object { "not listed: $_" }
```

Signatures, the log and time stamps need openssl: all blocks above run in the shell of Git for Windows, and a time stamp can
be checked in any window where `openssl` is found:

```bat
openssl ts -verify -in data\stamps\SIZE-K.tsr -data data\stamps\SIZE-K.txt -CAfile roots.pem
```
"""


def encode_page() -> bytes:
    return VERIFY_TEXT.encode()
