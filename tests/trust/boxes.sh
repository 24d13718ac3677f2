#!/bin/sh
# Boxes by the thousand in one campaign: processes, mounts, control groups, descriptors, files and shared memory
# are after it what they were before.  Half are quick and honest, the rest leave daemons, files, full folders,
# floods of words and children that must be killed.
. "${0%/*}/../lib.sh"
[ "$SIZE" = large ] && runs=20000 || runs=200
start=$(date +%s)
mkdir tmp
export TMPDIR="$SCRATCH/tmp"
mounts=$(wc -l </proc/self/mounts)
"$BUILD/tests/unit/evaluate/sandbox" campaign "$runs" >out &
pid=$!
wait $pid || { cat out >&2; exit 1; }
sed 's/^/boxes: /' out >&2
# What the campaign left outside itself; other tests may run beside it, so each is told by its name.
{
	echo "daemons	$(ps -eo args= | grep -c '[r]un litter$')"
	echo "orphans	$(ps -eo args= | grep -c '[r]un orphans$')"
	echo "mounts	$(($(wc -l </proc/self/mounts) - mounts))"
	echo "groups	$(find /sys/fs/cgroup -name "km-$pid-*" -type d 2>/dev/null | wc -l)"
	echo "files	$(find tmp -mindepth 1 | wc -l)"
	echo "shared	$(find /dev/shm /tmp /var/tmp -maxdepth 1 -name 'km-litter*' | wc -l)"
} >left
sed 's/^/boxes: left: /' left >&2
bad=$(cat left out | awk -F '\t' '$1 != "boxes" { n += $2 < 0 ? 0 : $2 } END { print n + 0 }')
printf 'boxes that left something behind\t%d\t%d\t%d\n' "$(awk -F '\t' '$1 == "boxes" { print $2 }' out)" "$bad" $(($(date +%s) - start))
[ "$bad" = 0 ]
