# One member of the consumer group: what Bash evaluates in each Spark task, in the executor's working folder, where Spark has
# put the program. $1 is the program's name, the rest are its arguments; the member's number comes on standard input.
#
# Standard output goes to the task's result: the program's own lines, then "exit CODE". A program that a signal ended makes
# the task fail, so that Spark starts the member again; one that ended by itself, well or not, does not.

# The kernel sends SIGTERM when the executor dies, however it dies; and to the program when this shell does.
tether=(setpriv --pdeathsig TERM)
"${tether[@]}" true 2>/dev/null || tether=()
if [ -z "$STREAMFLOW_MEMBER_TETHERED" ] && [ ${#tether[@]} -gt 0 ]; then
  export STREAMFLOW_MEMBER_TETHERED=1
  exec "${tether[@]}" bash -c "$BASH_EXECUTION_STRING" "$0" "$@"
fi

read -r number
program=$1
shift
chmod +x "./$program"

# The log goes to the driver while it is written; where the driver cannot be reached, to the executor's own log.
if { exec 3<>"/dev/tcp/$STREAMFLOW_LOG_HOST/$STREAMFLOW_LOG_PORT"; } 2>/dev/null; then
  printf '%s %s %s\n' "$STREAMFLOW_LOG_TOKEN" "$number" "$HOSTNAME" >&3
else
  exec 3>&2
fi
unset STREAMFLOW_MEMBER STREAMFLOW_LOG_HOST STREAMFLOW_LOG_PORT STREAMFLOW_LOG_TOKEN STREAMFLOW_MEMBER_TETHERED

"${tether[@]}" "./$program" "$@" </dev/null 2>&3 3>&- &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT HUP
# A trapped signal ends `wait` early; the program is given its time.
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
done
wait "$child"
code=$?
if [ "$code" -gt 128 ]; then
  echo "$program was ended by signal $((code - 128))" >&3
  exit "$code"
fi
echo "exit $code"
