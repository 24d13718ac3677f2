#!/bin/sh
# A machine that lacks something: one line says what is lost, the level says it in every trace, and verdicts stay right.
. "${0%/*}/lib.sh"
target=$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')
[ "$target" = none ] && { skip 'degradation' 'this CPU is none of the targets'; done_testing; }
[ "$(km-evaluate doctor | grep -c '^sandbox	namespaces')" = 1 ] || { skip 'degradation' 'this machine lacks namespaces itself'; done_testing; }
gcc -D_GNU_SOURCE -o without "$ROOT/tests/without.c" -lseccomp || exit 3
chmod 777 "$SCRATCH" && mkdir -m 777 user
export KM_CACHE="$SCRATCH/cache" TMPDIR="$SCRATCH"
problem=relu/f32/M=64,N=1024/t1

"$ROOT/tests/hostile.py" --operators=relu --only=honest,zeros,segfault,out_of_bounds --write=batch.jsonl
right='INCORRECT_NUMERICAL INCORRECT_OUT_OF_BOUNDS PASSED RUNTIME_ERROR '

# verdicts NAME COMMAND...: are they right when evaluated by `COMMAND... km-evaluate`?
verdicts() {
	name=$1
	shift
	rm -f "journal.$name"
	"$@" km-evaluate run --problem=$problem --clock=model --allow-unsafe --journal="journal.$name" batch.jsonl &&
		km-evaluate trace ls "journal.$name" | cut -f 1,3 | sort >"got.$name" && [ -f want ] || cp "got.$name" want &&
		[ "$(cut -f 2 "got.$name" | sort | tr '\n' ' ')" = "$right" ] && diff want "got.$name"
}
# lacks NAME 'TEXT' 'LEVEL' COMMAND...
lacks() {
	name=$1 text=$2 level=$3
	shift 3
	"$@" km-evaluate doctor >"doctor.$name"
	check "$name: said in a line" "grep -F '$text' 'doctor.$name'"
	check "$name: the level" "grep '^sandbox	$level' 'doctor.$name' || { grep '^sandbox	' 'doctor.$name'; exit 1; }"
	check "$name: the verdicts are right, the level with each" "verdicts $name $* && grep -q '\"sandbox_level\":\"$level' journal.$name"
}
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups env KM_CACHE="$SCRATCH/user" "$@"; }
no_groups() { unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh "$@"; }

lacks nothing 'isolation: namespaces' 'namespaces' env
lacks clone3 'isolation: namespaces' 'namespaces' ./without clone3
lacks pidfd 'isolation: namespaces' 'namespaces' ./without pidfd
lacks mount_setattr 'isolation: namespaces' 'namespaces' ./without mount_setattr,close_range
lacks landlock 'filesystem: mount namespace only (Landlock off in lsm=)' 'floor without .*landlock' ./without landlock
lacks seccomp 'syscalls: UNFILTERED' 'process without .*seccomp' ./without seccomp
lacks namespaces 'isolation: NO NAMESPACES (sysctl user.max_user_namespaces / kernel.unprivileged_userns_clone / AppArmor). A candidate can see other processes; daemons are hunted by subreaper' \
	'floor without user-namespace pid-namespace' ./without namespaces
if [ "$(id -u)" = 0 ]; then
	lacks cgroup 'limits: NO CGROUP. Memory is checked every 50 ms, short spikes pass. Ask for a delegated cgroup (systemd: Delegate=yes; Slurm: ConstrainRAMSpace=yes)' \
		'namespaces without cgroup' no_groups
	lacks root 'limits: NO CGROUP' 'namespaces without cgroup' as_user
	lacks userns 'isolation: NO NAMESPACES' 'floor without user-namespace pid-namespace' as_user ./without userns
fi
# What is promoted is run with sanitizers, where there are any; where not, the row says so.
mkdir fake && printf '#!/bin/sh\ncase "$1" in -print-file-name=*) echo "${1#*=}" ;; *) exec %s "$@" ;; esac\n' "$(command -v clang-22)" >fake/clang-22 && chmod +x fake/clang-22
# promotes NAME 'TEXT' COMMAND...: one is promoted, its judgement says TEXT
promotes() {
	name=$1 text=$2
	shift 2
	rm -rf "promoted.$name" cell && $printed --journal="promoted.$name" one.jsonl &&
		"$@" km-evaluate finish --problem=$problem --clock=model --journal="promoted.$name" --folder=cell &&
		grep -a '"kind":"judgement"' "promoted.$name" | grep -F "\"memory_pass\":\"$text"
}
printed="km-evaluate run --problem=$problem --clock=model"
km-generate next --problem=$problem --batch=1 -o one.jsonl
plain 'with sanitizers' 'km-evaluate doctor | grep "^sanitizers	yes" && promotes with "sanitizers: " env'
plain 'without their runtime' '
	PATH=$SCRATCH/fake:$PATH km-evaluate doctor | grep "^sanitizers	no	no .libclang_rt.asan.*apt-get install" &&
	promotes without "no sanitizers: no " env PATH="$SCRATCH/fake:$PATH"'
plain 'without a /proc for them' '
	KM_SANDBOX_WITHOUT=mount-namespace km-evaluate doctor | grep "^sanitizers	no	.*mount namespace" &&
	promotes no_proc "no sanitizers: their runtime does not start" env KM_SANDBOX_WITHOUT=mount-namespace'
# A cache that is full or read-only costs one line; what is compiled is compiled all the same.
km-generate next --problem=$problem --batch=3 -o three.jsonl
$printed --journal=cached three.jsonl && km-evaluate trace ls cached | cut -f 1,3 | sort >cached.got
mkdir disk
# on_disk NAME OPTIONS COMMAND: the cache on a disk of its own that COMMAND readies
on_disk() {
	mount -t tmpfs -o "$2" none disk && (eval "$3") && rm -f "journal.$1" && KM_CACHE=$SCRATCH/disk $printed --journal="journal.$1" three.jsonl 2>said
	code=$?
	mount -o remount,rw,size=64m disk
	left=$(find disk -name '*.tmp.*')
	umount disk
	cat said
	[ $code = 0 ] && [ -z "$left" ] && [ "$(grep -c 'warning: going on without a cache: .*KM_CACHE=DIR' said)" = 1 ] && [ "$(wc -l <said)" = 1 ] &&
		km-evaluate trace ls "journal.$1" | cut -f 1,3 | sort | diff - cached.got
}
if mount -t tmpfs none disk 2>/dev/null; then
	umount disk
	check 'a full cache' 'on_disk full size=64k "head -c 60000 /dev/zero >disk/ballast"'
	check 'a cache out of inodes' 'on_disk inodes nr_inodes=3 true'
	check 'a read-only cache' 'on_disk readonly size=64m "mount -o remount,ro disk"'
	check 'a read-only cache that is damaged' '
		mount -t tmpfs none disk && KM_CACHE=$SCRATCH/disk $printed --journal=filled three.jsonl && for f in disk/*/*/kernel.so; do : >$f; done && cp -r disk damaged && umount disk &&
		! on_disk damaged size=64m "cp -r damaged/* disk && mount -o remount,ro disk" && [ $code = 0 ] &&
		grep -q "warning: cached object is damaged" said && [ "$(grep -c "going on without a cache" said)" = 1 ] &&
		km-evaluate trace ls journal.damaged | cut -f 1,3 | sort | diff - cached.got'
else
	skip 'a cache that cannot be written' 'cannot mount a small file system'
fi
# Below the floor what Kernelmill did not print is refused, and with nothing at all everything is.
check 'below the floor a foreign source is refused' "exits 78 ./without seccomp km-evaluate run --problem=$problem --journal=unsafe batch.jsonl"
check 'with no layer at all doctor says so' "./without seccomp,landlock,namespaces km-evaluate doctor | grep 'refusing to run untrusted code'"
check 'and nothing runs, printed here or not' "
	km-generate next --problem=$problem --batch=1 -o printed.jsonl &&
	exits 78 ./without seccomp,landlock,namespaces km-evaluate run --problem=$problem --journal=none printed.jsonl"
check 'unless told otherwise' "verdicts told ./without seccomp,landlock,namespaces && grep -q '\"sandbox_level\":\"none without' journal.told"
# A layer that is left out by name is told from one that is missing.
for layer in $(sed -n 's/^X([A-Z]*, "\([a-z-]*\)".*/\1/p' "$ROOT/evaluate/sandbox.def"); do
	check "left out: $layer" "
		KM_SANDBOX_WITHOUT=$layer km-evaluate doctor >out && grep '^sandbox $layer	no	left out by KM_SANDBOX_WITHOUT' out && grep '^sandbox	.* without .*$layer' out"
done
done_testing
