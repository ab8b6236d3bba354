// go-zookeeper under measurement: so many goroutines, each of which makes one call after the other.
//
// Arguments: host workload inFlight valueBytes warmupMs measuredMs. Prints the measurement as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	path        = "/bench"
	mixedPeriod = 5
	timedMax    = 16
)

func main() {
	host, workload := os.Args[1], os.Args[2]
	inFlight, valueBytes := number(3), number(4)
	warmup, measured := milliseconds(5), milliseconds(6)

	conn, _, err := zk.Connect([]string{host}, 30*time.Second, zk.WithLogInfo(false))
	must(err)
	value := make([]byte, valueBytes)
	call := map[string]func(chain, turn int) error{
		"getData": func(_, _ int) error { return get(conn) },
		"setData": func(_, _ int) error { return set(conn, value) },
		"mixed": func(chain, turn int) error {
			if (chain+turn)%mixedPeriod == 0 {
				return set(conn, value)
			}
			return get(conn)
		},
		"create-delete": func(chain, turn int) error {
			own := fmt.Sprintf("%s/%d-%d", path, os.Getpid(), chain)
			if turn%2 == 0 {
				_, err := conn.Create(own, value, 0, zk.WorldACL(zk.PermAll))
				return err
			}
			return conn.Delete(own, -1)
		},
	}[workload]

	var running, measuring atomic.Bool
	var operations atomic.Int64
	var done sync.WaitGroup
	latencies := make([][]time.Duration, min(inFlight, timedMax))
	running.Store(true)
	done.Add(inFlight)
	for chain := range inFlight {
		go func() {
			defer done.Done()
			for turn := 0; running.Load(); turn++ {
				if chain < len(latencies) && measuring.Load() {
					start := time.Now()
					must(call(chain, turn))
					latencies[chain] = append(latencies[chain], time.Since(start))
				} else {
					must(call(chain, turn))
				}
				operations.Add(1)
			}
		}()
	}
	time.Sleep(warmup)
	measuring.Store(true)
	operationsBefore, cpuBefore, start := operations.Load(), cpuMicros(), time.Now()
	time.Sleep(measured)
	count, cpu, elapsed := operations.Load()-operationsBefore, cpuMicros()-cpuBefore, time.Since(start)
	running.Store(false)
	done.Wait()
	conn.Close()

	all := slices.Concat(latencies...)
	slices.Sort(all)
	must(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"operationsInAll":       float64(operations.Load()),
		"operationsPerSecond":   float64(count) / elapsed.Seconds(),
		"cpuMicrosPerOperation": float64(cpu) / float64(count),
		"p50Micros":             percentile(all, 0.5),
		"p99Micros":             percentile(all, 0.99),
	}))
}

func get(conn *zk.Conn) error {
	_, _, err := conn.Get(path)
	return err
}

func set(conn *zk.Conn, value []byte) error {
	_, err := conn.Set(path, value, -1)
	return err
}

func percentile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(float64(len(sorted)-1)*share)].Microseconds())
}

func cpuMicros() int64 {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return (used.Utime.Nano() + used.Stime.Nano()) / 1000
}

func number(index int) int {
	value, err := strconv.Atoi(os.Args[index])
	must(err)
	return value
}

func milliseconds(index int) time.Duration {
	return time.Duration(number(index)) * time.Millisecond
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
