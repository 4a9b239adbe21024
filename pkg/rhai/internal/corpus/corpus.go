// Package corpus reads and writes the conformance corpus: files of small chunks of script, each with the answer that
// the reference implementation gave. The format is described in the README of pkg/rhai/testdata.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"circles/pkg/rhai/internal/lines"
)

// File is a corpus file.
type File struct {
	Path   string
	Head   []string // the lines before the first chunk
	Chunks []*Chunk
}

// Topic is the file's name without its ending.
func (f *File) Topic() string {
	return strings.TrimSuffix(filepath.Base(f.Path), ".rhai")
}

// Chunk is a script with its recorded answer.
type Chunk struct {
	Name    string
	Line    int      // where it starts in the file
	Source  []string // its lines as they stand in the file, without the answer
	Differs string   // why the answer is ours and not the reference's; usually empty
	Ask     lines.Question
	Answer  []string // the recorded lines, without their mark; nil before the first recording
}

// Marks at the beginning of a line.
const (
	markChunk   = "=== " // a chunk's name; its script follows
	markLine    = "> "   // a chunk of one line, which is its name as well
	markSetting = "+++ " // a setting of the host, before the script
	markAnswer  = "--- " // a line of the answer
)

// Load reads the corpus files of a directory, in the order of their names.
func Load(dir string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.rhai"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no *.rhai files in %s", dir)
	}
	var files []*File
	for _, path := range paths {
		file, err := Read(path)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// Read reads a corpus file.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, string(text))
}

// Parse reads the text of a corpus file. The path is kept for messages.
func Parse(path, text string) (*File, error) {
	file := &File{Path: path}
	names := map[string]int{}
	var chunk *Chunk
	finish := func() error {
		if chunk == nil {
			return nil
		}
		if before, ok := names[chunk.Name]; ok {
			return fmt.Errorf("%s:%d: chunk %q is also at line %d, want another name", path, chunk.Line, chunk.Name, before)
		}
		names[chunk.Name] = chunk.Line
		for len(chunk.Source) > 0 && strings.TrimSpace(chunk.Source[len(chunk.Source)-1]) == "" {
			chunk.Source = chunk.Source[:len(chunk.Source)-1]
		}
		if err := chunk.resolve(); err != nil {
			return fmt.Errorf("%s:%d: %w", path, chunk.Line, err)
		}
		file.Chunks = append(file.Chunks, chunk)
		return nil
	}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		name, named := strings.CutPrefix(line, markChunk)
		if !named {
			name, named = strings.CutPrefix(line, markLine)
		}
		answer, answered := strings.CutPrefix(line, markAnswer)
		switch {
		case named:
			if err := finish(); err != nil {
				return nil, err
			}
			chunk = &Chunk{Name: name, Line: i + 1, Source: []string{line}}
		case chunk == nil:
			file.Head = append(file.Head, line)
		case answered:
			chunk.Answer = append(chunk.Answer, answer)
		case chunk.Answer == nil:
			chunk.Source = append(chunk.Source, line)
		case strings.TrimSpace(line) != "":
			return nil, fmt.Errorf("%s:%d: got %q after an answer, want a chunk's mark", path, i+1, line)
		}
	}
	return file, finish()
}

// resolve makes the question out of the source lines.
func (c *Chunk) resolve() error {
	if script, ok := strings.CutPrefix(c.Source[0], markLine); ok {
		c.Ask.Script = script
		return nil
	}
	lines := c.Source[1:]
	for len(lines) > 0 {
		setting, ok := strings.CutPrefix(lines[0], markSetting)
		if !ok {
			break
		}
		lines = lines[1:]
		word, rest, _ := strings.Cut(setting, " ")
		switch word {
		case "limit":
			name, number, _ := strings.Cut(rest, " ")
			n, err := strconv.Atoi(number)
			if err != nil {
				return fmt.Errorf("limit %q: got %q, want a number", name, number)
			}
			if c.Ask.Limits == nil {
				c.Ask.Limits = map[string]int{}
			}
			c.Ask.Limits[name] = n
		case "option":
			c.Ask.Options = append(c.Ask.Options, rest)
		case "differs":
			c.Differs = rest
		case "module":
			end := 0
			for end < len(lines) && !strings.HasPrefix(lines[end], markSetting) {
				end++
			}
			if end == len(lines) {
				return fmt.Errorf("module %q: want %q after its text", rest, markSetting+"script")
			}
			if c.Ask.Modules == nil {
				c.Ask.Modules = map[string]string{}
			}
			c.Ask.Modules[rest] = strings.Join(lines[:end], "\n")
			lines = lines[end:]
		case "script":
		case "quoted":
			script, err := strconv.Unquote(strings.Join(lines, "\n"))
			if err != nil {
				return fmt.Errorf("quoted script: want one Go string literal: %w", err)
			}
			c.Ask.Script = script
			return nil
		default:
			return fmt.Errorf("unknown setting %q, want limit, option, differs, module, script or quoted", word)
		}
	}
	c.Ask.Script = strings.Join(lines, "\n")
	return nil
}

// Text is the file as it is written: a blank line between chunks of several lines, none where one-line chunks follow
// each other.
func (f *File) Text() string {
	var b strings.Builder
	for _, line := range f.Head {
		b.WriteString(line + "\n")
	}
	for i, chunk := range f.Chunks {
		short := len(chunk.Source) == 1
		if i > 0 && !(short && len(f.Chunks[i-1].Source) == 1) {
			b.WriteString("\n")
		}
		for _, line := range chunk.Source {
			b.WriteString(line + "\n")
		}
		for _, line := range chunk.Answer {
			b.WriteString(markAnswer + line + "\n")
		}
	}
	return b.String()
}
