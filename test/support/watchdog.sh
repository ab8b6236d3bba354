#!/bin/sh
# Leaves nothing behind when a test suite dies, even by SIGKILL.
#
# Usage: watchdog.sh FOLDER. Standard input is a pipe whose other end only the suite holds; each
# line is the process id of the server to guard now, an empty line says that none runs. When the
# suite ends, in whatever way, the kernel closes the pipe: then the server is killed and FOLDER
# removed. The suite's orderly end takes the same road: it just closes the pipe.

trap '' INT TERM HUP # Ctrl-C in a terminal reaches us too, and must not end us before our work

folder=$1
server=
while read -r line; do server=$line; done

[ -z "$server" ] || kill -9 "$server" 2>/dev/null
rm -rf "$folder"
if [ -n "$server" ]; then
  sleep 1 # a dying server may still have put a file there
  rm -rf "$folder"
fi
