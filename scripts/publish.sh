# publish.sh: what scripts source to write files that later runs believe:  publish FILE <text
# Written aside, fsynced, renamed, folder fsynced: after a kill or a power cut FILE is the old or the new one.  False
# with what failed on stderr.
publish() {
	publish_boot=$(cut -c 1-8 /proc/sys/kernel/random/boot_id 2>/dev/null || echo 00000000)
	publish_aside=$1.tmp.$$.$publish_boot
	# What a killed writer of the same file left here; other machines' writers may live.
	for publish_old in "$1".tmp.*."$publish_boot"; do
		publish_pid=${publish_old#"$1".tmp.}
		[ -d "/proc/${publish_pid%%.*}" ] || rm -f "$publish_old"
	done
	{ cat >"$publish_aside"; } 2>/dev/null && sync "$publish_aside" && mv -f "$publish_aside" "$1" && sync "$(dirname "$1")" && return
	rm -f "$publish_aside"
	echo "publish: error: cannot write '$1'" >&2
	return 1
}
