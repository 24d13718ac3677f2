#!/bin/sh
# Replays of policies and races on measured spaces: the numbers loosely, the same again, other names, bad files.
. "${0%/*}/lib.sh"
spaces=$ROOT/tests/spaces
small=$spaces/convolution_milo.A4000.json.gz
t4=$spaces/convolution_milo.A4000_T4.json.gz
smooth=$spaces/dedispersion_milo.W6600.json.gz

# value FILE CURVE SPACE POLICY AT COLUMN: a number of a table; then a comparison
value() { awk -F'\t' -v c="$2" -v s="$3" -v p="$4" -v a="$5" -v n="$6" '$1 == c && $2 == s && $3 == p && $4 == a { print $n }' "$1"; }
at_least() { echo "$1 >= $2" >&2; awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a >= b) }'; }
damaged() { exits 3 km-generate replay "$1" --policy=random && one_line_error km-generate replay "$1" --policy=random && says "'$1'" km-generate replay "$1" --policy=random && says "$2" km-generate replay "$1" --policy=random; }

km-generate replay "$small" "$smooth" --policy=portfolio,greedy,random --budget=100 --repeats=16 >table
check 'a table of fractions, times and scores' '[ "$(head -1 table | tr "\t" " ")" = "curve space policy at seconds mean low high p95 least" ] &&
	[ "$(cut -f1 table | sort -u | tr "\n" " ")" = "curve difference.evaluations difference.score difference.time evaluations score time " ]'
check 'the portfolio comes near the best' 'at_least "$(value table evaluations all portfolio 100 6)" 0.88 && at_least "$(value table time all portfolio 100 6)" 0.88'
check 'and is ahead of random search on equal seeds' 'at_least "$(value table difference.evaluations all portfolio-random 100 7)" 0.01'
check 'random search scores about nothing, the portfolio much' 'at_least 0.35 "$(value table score all random 1 6)" && at_least "$(value table score all portfolio 1 6)" 0.4'
for policy in $(km-generate policies | cut -f1); do
	case $policy in exec | llm) continue ;; esac
	km-generate replay "$small" --policy="$policy" --budget=48 --repeats=2 --points 2>/dev/null >points
	check "$policy replays point for point" "[ -s points ] && km-generate replay '$small' --policy=$policy --budget=48 --repeats=2 --points | cmp - points"
	check "$policy does not look at names" "km-generate replay '$small' --policy=$policy --budget=48 --repeats=2 --points --hash-names | cmp - points"
done
check 'both formats give the same search' 'km-generate replay "$small" --policy=genetic --points | cut -f4 >a && km-generate replay "$t4" --policy=genetic --points | cut -f4 >b && [ -s a ] && cmp a b'
check 'unpacked it is the same file' 'gzip -dc "$small" >plain.json && km-generate replay plain.json --policy=genetic --points | cut -f4 | cmp - a'
check 'knobs in another order find as much, about' 'km-generate replay "$small" --budget=100 --repeats=6 --shuffle=5 2>/dev/null >turned && at_least "$(value turned evaluations convolution_milo.A4000 portfolio 100 6)" 0.82'
warm="--warm=$spaces/convolution_milo.A6000.json.gz --warm=$spaces/convolution_milo.W6600.json.gz --warm=$small"
check 'told what was best on other devices it begins there' 'km-generate replay "$small" $warm --budget=25 --repeats=3 2>/dev/null >warm && at_least "$(value warm evaluations convolution_milo.A4000 portfolio 25 6)" 0.95'
check 'donors of another kernel are refused' 'exits 3 km-generate replay "$small" --warm="$smooth" && one_line_error km-generate replay "$small" --warm="$smooth" && says "parameters of" km-generate replay "$small" --warm="$smooth"'
check 'without LightGBM the portfolio goes on, and says it once' 'KM_LIGHTGBM=/nowhere km-generate replay "$small" --budget=60 --repeats=3 >without 2>said && grep -q "^evaluations" without &&
	[ "$(grep -c LightGBM said)" = 1 ]'

check 'a file that is not there' 'damaged nowhere.json.gz "No such file"'
head -c 300000 "$small" >short.json.gz
check 'a file cut short' 'damaged short.json.gz "fetch it again"'
head -c 300000 plain.json >short.json
check 'one cut short and not packed' 'damaged short.json "not JSON"'
{ head -c 400000 "$small"; printf 'XXXXXXXXXXXXXXXX'; tail -c +400017 "$small"; } >changed.json.gz
check 'a damaged file' 'damaged changed.json.gz "fetch it again"'
echo '{"hello": [1, 2]}' >foreign.json
check 'a foreign file' 'damaged foreign.json "give a cache file"'
check 'no space, no policy' 'exits 2 km-generate replay && exits 2 km-generate replay "$small" --policy=nobody'

km-evaluate replay-race "$small" "$smooth" --races=30 >race
check 'a race takes an eighth of the time at most and finds the best' 'at_least 0.125 "$(awk "\$1 == \"all\" { print \$4 }" race)" && at_least "$(awk "\$1 == \"all\" { print \$5 }" race)" 0.95'
check 'a race of a damaged file' 'exits 3 km-evaluate replay-race short.json.gz && one_line_error km-evaluate replay-race short.json.gz'
done_testing
