// go-zookeeper on the in-process server. Prints a line for each thing that went well.
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/go-zookeeper/zk"
)

func main() {
	open := zk.WorldACL(zk.PermAll)
	conn, events, err := zk.Connect([]string{os.Args[1]}, 5*time.Second, zk.WithLogInfo(false))
	must(err)

	_, err = conn.Create("/g", []byte("one"), 0, open)
	must(err)
	data, stat, err := conn.Get("/g")
	must(err)
	demand(string(data) == "one" && stat.Version == 0, "read")
	stat, err = conn.Set("/g", []byte("two"), 0)
	must(err)
	demand(stat.Version == 1, "version")
	_, err = conn.Set("/g", nil, 0)
	demand(err == zk.ErrBadVersion, "an old version was accepted")
	fmt.Println("ok create, read, write")

	path, err := conn.Create("/g/s-", nil, zk.FlagEphemeral|zk.FlagSequence, open)
	must(err)
	demand(path == "/g/s-0000000000", path)
	fmt.Println("ok ephemeral and sequential znodes")

	_, _, watch, err := conn.GetW("/g")
	must(err)
	_, err = conn.Set("/g", []byte("three"), -1)
	must(err)
	demand((<-watch).Type == zk.EventNodeDataChanged, "watch")
	fmt.Println("ok watch")

	_, err = conn.Multi(
		&zk.CheckVersionRequest{Path: "/g", Version: 2},
		&zk.CreateRequest{Path: "/g/t", Acl: open},
		&zk.SetDataRequest{Path: "/g", Data: []byte("four"), Version: -1},
	)
	must(err)
	_, err = conn.Multi(&zk.CreateRequest{Path: "/g/u", Acl: open}, &zk.DeleteRequest{Path: "/none"})
	demand(err == zk.ErrNoNode, "a transaction that must fail")
	fmt.Println("ok transaction")

	lock := zk.NewLock(conn, "/lock", open)
	must(lock.Lock())
	must(lock.Unlock())
	fmt.Println("ok lock")

	session := conn.SessionID()
	_, _, watch, err = conn.GetW("/g")
	must(err)
	for len(events) > 0 {
		<-events
	}
	fmt.Println("cut")
	for (<-events).State != zk.StateHasSession {
	}
	demand(conn.SessionID() == session, "the session is another")
	_, err = conn.Set("/g", []byte("five"), -1)
	must(err)
	demand((<-watch).Type == zk.EventNodeDataChanged, "watch after the reconnect")
	fmt.Println("ok reconnect, with the session and its watches")

	conn.Close()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func demand(isTrue bool, what string) {
	if !isTrue {
		log.Fatal(what)
	}
}
