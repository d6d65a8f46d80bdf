package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kubia.test/sandbox/config"
)

// writeEnvironment writes the file that a shell reads to use the sandbox.
func writeEnvironment(c *config.Config) error {
	dirs := append(append([]string{}, c.PathDirs...), filepath.Join(c.ToolsDir, "bin"))
	for i, dir := range dirs {
		dirs[i] = quote(dir)
	}
	text := fmt.Sprintf("export KUBECONFIG=%s\nexport PATH=%s:\"$PATH\"\n",
		quote(c.StateFile("admin.kubeconfig")), strings.Join(dirs, ":"))
	if err := os.WriteFile(c.StateFile("env"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the shell's environment: %w", err)
	}
	return nil
}

// quote makes one word of the shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
