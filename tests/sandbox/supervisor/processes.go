package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"kubia.test/sandbox/config"
)

// processes starts the parts and, as process 1 of the namespace, reaps every process in it.
// The parts need no parent-death signal: the kernel kills them all when process 1 ends.
type processes struct {
	config *config.Config
	mutex  sync.Mutex
	exits  map[int]chan struct{}
}

func newProcesses(c *config.Config) *processes {
	return &processes{config: c, exits: map[int]chan struct{}{}}
}

// start runs this binary as a part; the channel is closed when the process has ended.
func (p *processes) start(name string, environment []string) (int, <-chan struct{}, error) {
	log, err := os.OpenFile(filepath.Join(p.config.StateDir, "logs", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, nil, err
	}
	defer null.Close()
	// Held until the process is noted: it may end before that.
	p.mutex.Lock()
	defer p.mutex.Unlock()
	process, err := os.StartProcess("/proc/self/exe", []string{"kubia-sandbox", PartCommand, name}, &os.ProcAttr{
		Dir:   p.config.RunDir,
		Env:   append(p.environment(), environment...),
		Files: []*os.File{null, log, log},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("start %s: %w", name, err)
	}
	// Release forgets the number.
	pid := process.Pid
	exited := make(chan struct{})
	p.exits[pid] = exited
	return pid, exited, process.Release()
}

// environment is the same for every user: nothing of theirs may change what a part does.
func (p *processes) environment() []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"HOME=" + p.config.RunDir,
		"TMPDIR=" + p.config.RunFile("tmp"),
		config.RunDirVariable + "=" + p.config.RunDir,
	}
}

// adopt watches a child that was started before this process became the supervisor.
func (p *processes) adopt(pid int) <-chan struct{} {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	exited := make(chan struct{})
	p.exits[pid] = exited
	return exited
}

// reap collects ended processes for ever; there always is a child, the host helper.
func (p *processes) reap() {
	for {
		pid, err := unix.Wait4(-1, nil, 0, nil)
		if err != nil {
			continue
		}
		p.mutex.Lock()
		if exited, ours := p.exits[pid]; ours {
			close(exited)
			delete(p.exits, pid)
		}
		p.mutex.Unlock()
	}
}
