package command

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"kubia.test/sandbox/status"
)

// Longer than the supervisor takes to give up on parts that do not answer.
const answerPatience = 10 * time.Second

func showStatus(arguments []string) (int, error) {
	t := &target{}
	flags := newFlags("status", t)
	output := flags.String("o", "", "output format: json")
	if err := t.parse(flags, arguments, 0, 0); err != nil {
		return exitUsage, err
	}
	if *output != "" && *output != "json" {
		return exitUsage, fmt.Errorf("unknown output format %q: use json", *output)
	}
	state, err := t.running()
	if err != nil {
		return exitFailed, err
	}
	if state == nil {
		return t.notRunning(os.Stderr), nil
	}
	found, err := askStatus(state.Control)
	if err != nil {
		return exitFailed, fmt.Errorf("sandbox %s does not answer: %w", t.name, err)
	}
	if err := printStatus(os.Stdout, found, *output); err != nil {
		return exitFailed, err
	}
	if !found.Ready {
		return exitFailed, nil
	}
	return exitOK, nil
}

func askStatus(control string) (*status.Status, error) {
	client := &http.Client{Timeout: answerPatience}
	response, err := client.Get(control + "/status")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	result := &status.Status{}
	if err := json.NewDecoder(response.Body).Decode(result); err != nil {
		return nil, fmt.Errorf("parse the status: %w", err)
	}
	return result, nil
}

func printStatus(out io.Writer, s *status.Status, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	}
	table := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	fmt.Fprintln(table, "PART\tSTATE\tRESTARTS")
	for _, part := range s.Parts {
		fmt.Fprintf(table, "%s\t%s\t%d\n", part.Name, part.State, part.Restarts)
	}
	fmt.Fprintln(table, "\nNODE\tREADY\tADDRESS")
	for _, node := range s.Nodes {
		fmt.Fprintf(table, "%s\t%t\t%s\n", node.Name, node.Ready, node.Address)
	}
	fmt.Fprintln(table, "\nGATEWAY POD\tREADY\tNODE\tPOD IP")
	for _, gateway := range s.Gateways {
		fmt.Fprintf(table, "%s/%s\t%t\t%s\t%s\n", gateway.Namespace, gateway.Name, gateway.Ready, gateway.Node, gateway.PodIP)
	}
	fmt.Fprintf(table, "\n%d MB resident, up for %s, ready after %.1f s\n",
		s.ResidentBytes/1e6, time.Duration(s.UptimeSeconds)*time.Second, s.StartSeconds)
	if s.Ready {
		fmt.Fprintln(table, "everything is well")
	}
	for _, problem := range s.Problems {
		fmt.Fprintf(table, "problem: %s\n", problem)
	}
	return table.Flush()
}
