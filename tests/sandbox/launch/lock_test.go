package launch

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestLockIsHeldByChildrenThatInheritIt(t *testing.T) {
	dir := t.TempDir()
	lock, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sleep", "60")
	child.ExtraFiles = []*os.File{lock.file}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lock.Release()
	if _, err := Acquire(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("while the child lives: %v, want ErrLocked", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if lock, err = AcquireWithin(dir, time.Second); err != nil {
		t.Fatalf("after the child's end: %v", err)
	}
	lock.Release()
}

func TestHolderIsNamedOnlyWhileTheLockIsHeld(t *testing.T) {
	dir := t.TempDir()
	if pid, err := Holder(dir); pid != 0 || err != nil {
		t.Errorf("before any start: %d, %v", pid, err)
	}
	lock, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.file.WriteAt([]byte("4711\n"), 0); err != nil {
		t.Fatal(err)
	}
	if pid, err := Holder(dir); pid != 4711 || err != nil {
		t.Errorf("while held: %d, %v", pid, err)
	}
	lock.Release()
	if pid, err := Holder(dir); pid != 0 || err != nil {
		t.Errorf("after the end: %d, %v", pid, err)
	}
}

func TestStateOfAnEarlierSandboxIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	lock, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if err := (&State{Name: "default", SupervisorPID: 4711}).Write(dir); err != nil {
		t.Fatal(err)
	}
	if state, err := ReadState(dir); state != nil || err != nil {
		t.Errorf("while another starts: %+v, %v", state, err)
	}
	if _, err := lock.file.WriteAt([]byte("4711\n"), 0); err != nil {
		t.Fatal(err)
	}
	if state, err := ReadState(dir); state == nil || err != nil {
		t.Errorf("its own: %+v, %v", state, err)
	}
}

func TestNamesThatWouldMeetOtherDirectoriesAreRefused(t *testing.T) {
	for name, valid := range map[string]bool{
		"default": true, "test-17": true, "": false, "bin": false, "tools": false, "../x": false, "-x": false, "A": false,
	} {
		if err := ValidateName(name); (err == nil) != valid {
			t.Errorf("%q: %v", name, err)
		}
	}
}
