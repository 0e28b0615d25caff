#!/bin/sh
# Times dtx and rsync over one sshd on loopback: one large file, and a tree of small files.
#
# usage: ssh-against-rsync.sh DTX [TREE]
#
# DTX is a release build; TREE is /usr/share unless given. The sshd is this script's own: keys,
# configuration, port; it ends with the script. WORK names a directory for the data (default: a
# fresh one in TMPDIR), BYTES the large file's length (default: 4 GiB), ROUNDS the runs of each
# (default: 3). Every run fills a new directory, and what the runs before it left to be written is
# synced first; all of it is removed at the end, because ext4 is slow to use a removed file's place
# again. Prints a table of medians, in seconds; rsync gets the same settings of ssh.
set -eu

dtx=$(realpath "${1:?usage: $0 DTX [TREE]}")
tree=${2:-/usr/share}
bytes=${BYTES:-4294967296}
rounds=${ROUNDS:-3}
made=
if [ -z "${WORK:-}" ]; then
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/dtx-comparison-XXXXXX")
  made=yes
fi
cd "$WORK"
here=$(pwd)
daemon=

finish() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
  cd /
  if [ -n "$made" ]; then rm -rf "$here"; else rm -rf "$here/from" "$here"/to-* "$here"/ssh-*; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A port that nobody listens on.
port=$((20000 + $$ % 20000))
ssh-keygen -q -t ed25519 -N '' -f ssh-host
ssh-keygen -q -t ed25519 -N '' -f ssh-user
cat > ssh-daemon <<END
ListenAddress 127.0.0.1
Port $port
HostKey $here/ssh-host
AuthorizedKeysFile $here/ssh-user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
SetEnv XDG_STATE_HOME=$here/ssh-state
END
cat > ssh-config <<END
Host far
  HostName 127.0.0.1
  Port $port
  IdentityFile $here/ssh-user
  IdentitiesOnly yes
  UserKnownHostsFile $here/ssh-known
  StrictHostKeyChecking no
  BatchMode yes
  LogLevel ERROR
END
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
/usr/sbin/sshd -D -f ssh-daemon -E ssh-log &
daemon=$!
until ssh -F ssh-config far true 2> /dev/null; do kill -0 "$daemon"; done
shell="ssh -F $here/ssh-config"
XDG_STATE_HOME="$here/ssh-state"
export XDG_STATE_HOME

mkdir from
head -c "$bytes" /dev/zero \
  | openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 > from/large 2>/dev/null

# time_of NAME COMMAND...: appends the seconds that the command takes to a file of that name.
time_of() {
  name=$1
  shift
  sync
  began=$(date +%s%N)
  "$@" > /dev/null
  ended=$(date +%s%N)
  echo $(((ended - began) / 1000000)) >> "ssh-times-$name"
}

median() {
  sort -n "ssh-times-$1" | awk '{ t[NR] = $1 } END { printf "%.2f", t[int((NR + 1) / 2)] / 1000 }'
}

ratio() {
  awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { printf "%.2f", a / b }'
}

cat from/large > /dev/null
round=1
while [ "$round" -le "$rounds" ]; do
  time_of rsync-large rsync -a -e "$shell" from/large "far:$here/to-rsync-large-$round"
  time_of dtx-large "$dtx" push -q -e "$shell" --dtx-path "$dtx" from/large \
    "far:$here/to-dtx-large-$round"
  cmp from/large "to-dtx-large-$round"
  rm -f "to-rsync-large-$round" "to-dtx-large-$round"
  time_of rsync-tree rsync -a -e "$shell" "$tree/" "far:$here/to-rsync-tree-$round"
  time_of dtx-tree "$dtx" push -q -e "$shell" --dtx-path "$dtx" "$tree/" \
    "far:$here/to-dtx-tree-$round"
  time_of rsync-again rsync -a -e "$shell" "$tree/" "far:$here/to-rsync-tree-$round"
  time_of dtx-again "$dtx" push -q -e "$shell" --dtx-path "$dtx" "$tree/" \
    "far:$here/to-dtx-tree-$round"
  round=$((round + 1))
done

printf '%s\n' "$("$dtx" --version), $(rsync --version | sed -n 1p | cut -d ' ' -f 1-4)"
printf '%s\n' "$(nproc) processors, Linux $(uname -r), medians of $rounds"
printf '%-34s %10s %10s %8s\n' '' 'rsync, s' 'dtx, s' 'faster'
for row in large tree again; do
  case $row in
    large) text="one file of $bytes bytes" ;;
    tree) text="$tree" ;;
    again) text="$tree again, nothing to move" ;;
  esac
  printf '%-34s %10s %10s %8s\n' "$text" "$(median rsync-$row)" "$(median dtx-$row)" \
    "$(ratio rsync-$row dtx-$row)"
done
