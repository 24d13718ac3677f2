#!/bin/sh
# The pages a language model is given: each begins with what it is retrieved by, and ends with its sources.
. "${0%/*}/lib.sh"

PAGES=$ROOT/generate/knowledge
find "$PAGES" -mindepth 2 -name '*.md' | sort >pages

# What is wrong with the pages of a folder, a line a fault; nothing: all is well.
faults() {
	{
		sed -n '/^## Vocabulary/,$ s/^    \([a-z-]*\) .*/when \1/p' "$PAGES/README.md"
		for f in "$ROOT"/generate/skeleton/*.c; do echo "kind $(basename "$f" .c)"; done
		for f in "$ROOT"/generate/lang/*.c "$PAGES"/language/*; do echo "language $(basename "$f" .c)"; done
		printf '%s\n' 'kind any' 'language any'
	} >words
	find "$1" -mindepth 2 -name '*.md' | sort | while read -r page; do
		awk -v name="${page#"$1"/}" '
			function fault(text) { print name ":" (FNR + 0) ": " text }
			NR == FNR { known[$1, $2] = 1; next }
			FNR == 1 { split("title when where language kind", key, " ") }
			length($0) > 120 { fault("longer than 120 columns") }
			FNR <= 5 {
				colon = index($0, ": ")
				if (substr($0, 1, colon - 1) != key[FNR]) { fault("no line \"" key[FNR] ": ...\""); next }
				value = substr($0, colon + 2)
				if (value == "") fault("nothing behind \"" key[FNR] ":\"")
				n = split(value, word, /, /)
				for (i = 1; i <= n && FNR > 1; i++)
					if (FNR == 3 ? word[i] !~ /^[a-z0-9*-]+$/ : !((key[FNR], word[i]) in known))
						fault("\"" word[i] "\" is no word of \"" key[FNR] "\"")
			}
			FNR == 6 && $0 != "" { fault("no empty line behind the five") }
			/^# / { fault("a title of its own: the first line is that") }
			/^## / { section = $0; if (sources) fault("a section behind the sources") }
			/^## Sources$/ { sources = 1 }
			sources && /^- ./ { cited++ }
			END {
				if (!cited) fault("no source")
				if (FNR < 25 || FNR > 90) fault(FNR " lines, not 25 to 90")
			}' words "$page"
	done
}

check "there are enough pages ($(wc -l <pages))" '[ "$(wc -l <pages)" -ge 28 ]'
check 'each says when and where it is wanted, in words of the vocabulary, and gives its sources' '
	faults "$PAGES" >found; cat found; [ ! -s found ]'
check 'each word of the vocabulary finds a page' '
	faults "$PAGES" >/dev/null
	xargs sed -s -n "2s/^when: //p" <pages | tr -d " " | tr , "\n" >wanted
	for word in $(sed -n "s/^when //p" words); do
		grep -qx -e "$word" wanted || { echo "no page for $word"; exit 1; }
	done'
# area TITLE PATTERN: of the pages that lie or are told there at least one is about it.
area() { check "there are pages about $1" "cut -c $((${#PAGES} + 2))- pages | grep -qE '$2'"; }
area 'numbers' '^constraints/numerics'
area 'what the judge catches' '^constraints/honesty'
area 'AVX-512' '^hardware/x86-avx512/'
area 'AMX' '^hardware/x86-avx512-amx/'
area 'Hopper' '^hardware/nvidia-h200/'
area 'CDNA3' '^hardware/amd-mi300x/'
area 'CDNA4' '^hardware/amd-mi350x/'
for language in triton cute flydsl hip; do
	area "$language" "^language/$language/"
done
# Each page is somebody's: a target's folder names that target's pages, a language's that language's.
check 'pages in the folder of a target or a language say so' '
	for folder in "$PAGES"/hardware/* "$PAGES"/language/*; do
		for page in "$folder"/*.md; do
			for glob in $(sed -n "$([ "$(basename "$(dirname "$folder")")" = hardware ] && echo 3 || echo 4)s/^[a-z]*: //p" "$page" | tr -d ,); do
				case $(basename "$folder") in $glob) continue 2 ;; esac
			done
			echo "$page is not about $(basename "$folder")"
			exit 1
		done
	done'
# The check sees: one page broken in each of the ways.
broken() {
	check "$1 is noticed" "
		rm -rf copy found && mkdir -p copy/guidance && cp '$PAGES'/guidance/memory-bound.md copy/guidance/ && [ -z \"\$(faults copy)\" ] &&
		sed -i '$2' copy/guidance/memory-bound.md && faults copy >found; cat found; [ -s found ]"
}
broken 'a word that is not in the vocabulary' '2s/memory-bound/memory-hungry/'
broken 'a key that is missing' '4d'
broken 'a kind that is no skeleton' '5s/: .*/: carpet/'
broken 'a page without sources' '/^## Sources/,$ d'
broken 'a source section without a source' '/^- /d'
broken 'a long line' "8s/\$/$(printf '%0120d' 0)/"
done_testing
