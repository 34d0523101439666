// SPDX-License-Identifier: Apache-2.0
// Text made safe for where it is put. Whole JSON values are base/json's, a URL's form is
// base/text/encoding's.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::base {

// HTML, SVG and XML, between tags and in quoted attributes: & < > " ' become entities. Control
// characters but tab and newline, which a page may not hold, become '?' or a number (&#8;).
enum class MarkupControls { replace, number };
[[nodiscard]] std::string escape_markup(std::string_view text,
                                        MarkupControls controls = MarkupControls::replace);

// Between the quotes of a Prometheus label: \\ \" \n, and nothing else, which its readers refuse.
[[nodiscard]] std::string escape_label(std::string_view text);

// Between the quotes of a JSON string (RFC 8259): for who writes a line of JSON and must not need
// the library. The text must be UTF-8.
[[nodiscard]] std::string escape_json(std::string_view text);

// For a terminal, a line of a log or a message that shows what came from outside, so that a name
// cannot steer who reads it: control characters but tab and newline are written out (\x1b), those
// of ISO 8859 (U+0080 to U+009F, or such a byte alone) and those that turn the direction of writing
// too. What is not UTF-8 is written out byte by byte.
[[nodiscard]] std::string escape_controls(std::string_view text);
// The same where a line has to stay one: newline and tab as well.
[[nodiscard]] std::string escape_line(std::string_view text);

}  // namespace andon::base
