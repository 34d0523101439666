# SPDX-License-Identifier: Apache-2.0
"""Man pages and completions out of what a program says of itself with --help."""
import os
import re
import subprocess
import tempfile
import time

MAX_DEPTH = 4
# An entry's head has two blanks before it; what is said of it follows at column 30, or further down.
COLUMN = 30


class Section:
    """One command's help: what it is for, how it is used, its options and its commands."""

    def __init__(self, text):
        self.about, self.usage, self.groups = [], "", []
        entries = None
        for line in text.splitlines():
            title = re.fullmatch(r"([A-Z][A-Za-z ]*|\[Option Group: .*\]):?", line)
            if line.startswith("Usage:"):
                self.usage = line.removeprefix("Usage:").strip()
            elif self.usage and title:
                entries = []
                self.groups.append((title.group(1).strip("[]"), entries))
            elif not self.usage and line.strip():
                self.about.append(line.strip())
            elif entries is not None and line.strip():
                self.add(entries, line)
            elif self.usage and line.strip():
                self.about.append(line.strip())

    @staticmethod
    def add(entries, line):
        indent = len(line) - len(line.lstrip())
        if indent >= COLUMN - 4 and entries:
            entries[-1][1] += (" " if entries[-1][1] else "") + line.strip()
            return
        head, _, said = line.strip().partition("  ")
        entries.append([head, said.strip()])

    def commands(self):
        # "device, devices": the second name is another word for the first.
        return [head.split()[0].rstrip(",") for title, entries in self.groups if title.startswith("Subcommand")
                for head, _ in entries]

    def options(self):
        """(flag, words it takes or None where it takes none or anything)."""
        found = []
        for title, entries in self.groups:
            if title.startswith("Subcommand"):
                continue
            for head, _ in entries:
                words = re.search(r"\s((?:[a-z0-9-]+\|)+[a-z0-9-]+)", head)
                for flag in re.findall(r"--[a-z][a-z0-9-]*", head.partition("(Env")[0]):
                    found.append((flag, words.group(1).split("|") if words else None))
        return found


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith(".") else text


class Program:
    """An installed program below `tree`; `runner`: the words before it where this machine cannot run it."""

    def __init__(self, tree, name, version, epoch, runner=()):
        self.tree, self.name, self.version, self.epoch, self.runner = tree, name, version, epoch, runner
        self.sections = {}  # by path of commands
        self.read(())

    def read(self, path):
        with tempfile.TemporaryDirectory() as nowhere:
            said = subprocess.run([*self.runner, self.tree / "usr/bin" / self.name, *path, "--help"], check=True,
                                  capture_output=True, text=True, cwd=nowhere,
                                  env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}).stdout
        section = Section(said.replace(str(self.tree), ""))
        self.sections[path] = section
        if len(path) < MAX_DEPTH:
            for command in section.commands():
                self.read((*path, command))

    def man_page(self):
        top = self.sections[()]
        date = time.strftime("%Y-%m-%d", time.gmtime(self.epoch))
        about = " ".join(top.about) or self.name
        brief = about.split(": ", 1)[-1].split(". ")[0].rstrip(".")
        out = [f'.TH {self.name.upper()} 1 "{date}" "andon {self.version}" "andon"', ".SH NAME",
               f"{escape(self.name)} \\- {escape(brief)}", ".SH SYNOPSIS", escape(top.usage),
               ".SH DESCRIPTION", escape(about)]
        for path, section in self.sections.items():
            if path:
                out += [f".SH COMMAND {escape(' '.join(path)).upper()}", escape(" ".join(section.about)),
                        ".PP", escape(section.usage)]
            for title, entries in section.groups:
                out.append(f".SS {escape(title)}" if path else f".SH {escape(title).upper()}")
                for head, said in entries:
                    out += [".TP", f"\\fB{escape(head)}\\fR", escape(said) or "\\&"]
        out += [".SH FILES", "/etc/andon/*.yaml: options, without their dashes.",
                ".SH EXIT STATUS",
                escape("0 done, 1 a defect of andon, 2 wrong usage, 3 wrong input, 4 not signed in, 5 not "
                       "allowed, 6 not found, 7 exists, 8 conflict, 9 not possible now, 10 no room, 11 "
                       "damaged data, 12 too late, 13 not reachable, 14 cancelled, 15 not supported.")]
        return "\n".join(out) + "\n"

    def completion(self):
        function = "_" + self.name.replace("-", "_")
        cases, values = [], {}
        for path, section in sorted(self.sections.items()):
            flags = sorted({flag for flag, _ in section.options()} |
                           {flag for flag, _ in self.sections[()].options()})
            words = " ".join([*section.commands(), *flags])
            cases.append(f"    '{' '.join(path)}') words='{words}' ;;")
            for flag, choices in section.options():
                if choices:
                    values[flag] = choices
        chosen = "".join(f"    {flag}) COMPREPLY=($(compgen -W '{' '.join(choices)}' -- \"$cur\")); "
                         "return ;;\n" for flag, choices in sorted(values.items()))
        commands = " ".join(sorted({word for path in self.sections for word in path}))
        return f"""# bash completion for {self.name}; made from its --help
{function}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} path='' words='' word
  local commands=' {commands} '
  COMPREPLY=()
  case $previous in
{chosen}    *) ;;
  esac
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    if [[ $commands == *" $word "* ]]; then path=${{path:+$path }}$word; fi
  done
  case $path in
{chr(10).join(cases)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}}
complete -o default -F {function} {self.name}
"""
