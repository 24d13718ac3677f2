# problems.sh OPERATOR: its first problem of each dtype that is searched; DTYPES="f64 ...": of these of its dtypes.
problems=$(km-generate problems --op="$1" --budget=quick)
[ "${DTYPES:-}" ] || {
	echo "$problems" | awk -F/ '!seen[$2]++'
	exit
}
own=$(km-generate ops | awk -F'\t' -v op="$1" '$1 == op { print $3 }')
for dtype in $DTYPES; do
	case " $own " in *" $dtype "*) echo "$problems" | awk -F/ -v OFS=/ -v dtype="$dtype" '{ $2 = dtype; print; exit }' ;; esac
done
