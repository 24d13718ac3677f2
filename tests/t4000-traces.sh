#!/bin/sh
# Traces: packing, listing, validating, exporting; damaged, read-only and full.
. "${0%/*}/lib.sh"

mkdir -p cells/one cells/two/deeper
cp "$ROOT"/tests/journals/first cells/one/journal
cp "$ROOT"/tests/journals/second cells/two/deeper/journal
trace="km-evaluate trace"

check 'pack finds the journals below a folder' "$trace pack -o traces.h5 cells && [ -s traces.h5 ]"
check 'packing again gives the same bytes' "$trace pack -o again.h5 cells && cmp traces.h5 again.h5"
check 'so does another order, and a journal given twice' "
	$trace pack -o again.h5 cells/two/deeper/journal cells/one/journal cells/one && cmp traces.h5 again.h5"
check 'the file is valid' "$trace validate traces.h5"
check 'ls lists every trial, from the file and from journals alike' "
	$trace ls traces.h5 >a && $trace ls cells >b && cmp a b && [ \$(wc -l <a) = 12 ] &&
	[ \$(awk -F '\t' 'NF != 7' a | wc -l) = 0 ]"
check 'history is a header and a line per trial' "$trace history cells/one/journal >h && [ \$(wc -l <h) = 7 ]"
check 'history of a search that has not begun is empty' "$trace history cells/none/journal >h && [ \$(wc -l <h) = 1 ]"
check 'status: done with the winner' "says 'done 0000000000000002' $trace status cells/two/deeper/journal"
check 'status: open exits 1' "exits 1 $trace status cells/one/journal && says 'open 6 evaluations 4 passed' $trace status cells/one/journal"
check 'knobs: each with its effect' "$trace knobs traces.h5 >k && grep -q 'BM.*matters' k && grep -q 'lang.*one value' k"
check 'a wide margin makes knobs without measurable effect' "$trace knobs --margin=9 traces.h5 | grep -q 'BM.*no measurable effect'"
check 'csv export' "$trace export traces.h5 >c.csv && grep -q '^candidate,problem' c.csv"
if command -v python3 >/dev/null; then
	check 'csv parses, a row per trial' "python3 -c '
import csv; rows = list(csv.DictReader(open(\"c.csv\", newline=\"\"))); assert len(rows) == 12 and rows[1][\"knobs\"]'"
	check 't4 export parses' "$trace export --format=t4 traces.h5 | python3 -c '
import json, sys; d = json.load(sys.stdin)
assert d[\"schema_version\"] == \"1.0.0\" and len(d[\"results\"]) == 12 and d[\"results\"][1][\"times\"][\"runtimes\"]'"
else
	skip 'exports parse' 'no python3'
fi
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
	check 'h5py reads every column and attribute' '/usr/bin/python3 "$ROOT"/tests/trace_h5py.py traces.h5'
else
	skip 'h5py reads every column and attribute' 'no h5py'
fi

# A cut-off journal.
size=$(wc -c <cells/one/journal)
check 'a torn last frame is skipped' "
	head -c $((size - 40)) cells/one/journal >torn && $trace ls torn | wc -l | grep -qx 5"
check 'damage before the end is one line with offset and fix' "
	{ head -c 3000 cells/one/journal; echo x; tail -c +3010 cells/one/journal; } >hurt &&
	exits 3 $trace ls hurt && one_line_error $trace ls hurt && says 'truncate -s' $trace ls hurt"
check 'so is packing it, and the old file stays' "
	cp traces.h5 old.h5 && exits 3 $trace pack -o old.h5 hurt && cmp old.h5 traces.h5"

# Damaged trace files.
check 'a truncated trace file is named in one line, with the fix' "
	head -c 5000 traces.h5 >short.h5 && exits 3 $trace ls short.h5 && one_line_error $trace ls short.h5 &&
	says 'trace pack -o short.h5' $trace ls short.h5 && exits 1 $trace validate short.h5"
check 'a changed byte is found' "
	{ head -c 9000 traces.h5; printf X; tail -c +9002 traces.h5; } >changed.h5 &&
	exits 1 $trace validate changed.h5 && one_line_error $trace validate changed.h5"
check 'a text file is no trace file' "echo hello >text.h5 && exits 3 $trace ls text.h5 && one_line_error $trace ls text.h5"
check 'nor is nothing' "exits 3 $trace ls absent.h5 && one_line_error $trace ls absent.h5"
check 'a journal is not written over by mistake' "says 'is a journal' $trace validate cells/one/journal"
check 'a folder without journals' "mkdir none && exits 3 $trace pack -o x.h5 none && one_line_error $trace pack -o x.h5 none"
check 'pack without -o is a usage error' "exits 2 $trace pack cells"
check 'an unknown format is a usage error' "exits 2 $trace export --format=xml traces.h5"

# Nowhere to write.  A folder that is a file refuses root too.
check 'an unwritable folder: exit 74 in one line' "
	exits 74 $trace pack -o text.h5/traces.h5 cells && one_line_error $trace pack -o text.h5/traces.h5 cells"
mkdir small
if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
	check 'a full disk: exit 74, the old file kept, nothing left behind' "
		echo old >small/traces.h5 && exits 74 $trace pack -o small/traces.h5 cells &&
		one_line_error $trace pack -o small/traces.h5 cells && grep -qx old small/traces.h5 && [ \$(ls small | wc -l) = 1 ]"
	mount -o remount,ro small
	check 'a read-only disk: exit 74 in one line' "
		exits 74 $trace pack -o small/traces.h5 cells && one_line_error $trace pack -o small/traces.h5 cells"
	umount small
else
	skip 'a full disk' 'cannot mount a small file system'
fi

# Baselines that another program timed: those of the problem and this machine's target, once, and the strongest counts.
problem=relu/f32/M=64,N=300/t1
here=$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')
row() { printf '{"kind":"baseline","problem":"%s","environment":"%s","name":"%s","setting":"torch 2","time_ns":%s,"sample_ns":[%s],"calls_per_sample":1}\n' "$1" "$2" "$3" "$4" "$4"; }
{ row $problem $here torch_eager 3; row $problem $here torch_compile 2; row $problem $here torch_eager_tf32 1; row $problem other torch_eager 1; row gelu/f32/M=64,N=300/t1 $here torch_eager 1; } >rows.jsonl
km-generate next --problem=$problem --target=$here --policy=random --batch=1 -o b.jsonl
names() { grep -o '"kind":"baseline".*' b.journal | sed 's/.*"name":"\([^"]*\)".*/\1/' | grep torch | tr '\n' ' '; }
check 'rows timed elsewhere are taken in' "
	km-evaluate run --problem=$problem --journal=b.journal --baselines=rows.jsonl b.jsonl && [ \"\$(names)\" = 'torch_eager torch_compile torch_eager_tf32 ' ]"
check 'once' "KM_BASELINES=rows.jsonl km-evaluate run --problem=$problem --journal=b.journal b.jsonl && [ \$(names | wc -w) = 3 ]"
check 'the strongest that computes f32 is the one to beat' "
	km-evaluate finish --problem=$problem --journal=b.journal --folder=published && grep -o '\"kind\":\"winner\".*' b.journal | grep '\"baseline\":\"torch_compile\",\"baseline_ns\":2,'"
check 'what is no such row exits 3 with file and line' "
	{ row $problem $here torch_eager 3; row $problem $here loopnest 1; } >bad.jsonl
	exits 3 km-evaluate run --problem=$problem --journal=b.journal --baselines=bad.jsonl b.jsonl && says \"'bad.jsonl':2\" km-evaluate run --problem=$problem --journal=b.journal --baselines=bad.jsonl b.jsonl"
done_testing
