# device.sh: sourced after lib.sh by the tests of this folder.  $target is the first device
# target this machine is; without one the test is skipped, loudly.
target=$(km-generate targets | awk -F'\t' '$4 == "here" && $1 ~ /^(nvidia|amd)-/ { print $1; exit }')
[ "$target" ] || {
	skip "${0##*/}" 'no GPU here that is a target: see km-generate targets'
	done_testing
	exit
}
