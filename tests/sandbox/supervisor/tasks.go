package supervisor

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// task is one step of the start. It begins when the tasks it needs are done.
type task struct {
	name  string
	needs []string
	run   func(ctx context.Context) error
}

// runTasks runs tasks as early as their needs allow and reports each with its own time.
func runTasks(ctx context.Context, tasks []task, report func(string)) error {
	done := map[string]chan struct{}{}
	for _, t := range tasks {
		done[t.name] = make(chan struct{})
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, t := range tasks {
		group.Go(func() error {
			if err := await(ctx, t.needs, done); err != nil {
				return err
			}
			began := time.Now()
			if err := t.run(ctx); err != nil {
				return err
			}
			report(fmt.Sprintf("  %-24s %5.1f s", t.name, time.Since(began).Seconds()))
			close(done[t.name])
			return nil
		})
	}
	return group.Wait()
}

func await(ctx context.Context, names []string, done map[string]chan struct{}) error {
	for _, name := range names {
		select {
		case <-done[name]:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
