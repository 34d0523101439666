// SPDX-License-Identifier: Apache-2.0
#include "report/chart/html.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "base/text/escape.hpp"
#include "base/text/utf8.hpp"

namespace andon::report {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:#1a1a1a;background:#fff;
margin:2rem auto;max-width:70rem;padding:0 1.2rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .6rem}
p{margin:.4rem 0;max-width:50rem}.note{color:#595959;font-size:13px}
.figures{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}
.figures div{border:1px solid #d9d9d9;border-radius:6px;padding:.5rem .9rem;min-width:6.5rem}
.figures b{display:block;font-size:1.5rem;font-weight:600;font-variant-numeric:tabular-nums}
.figures span,.figures small{display:block;font-size:12px;color:#595959}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.5rem 0}
th,td{padding:.22rem .7rem;border-bottom:1px solid #e3e3e3;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
th{font-size:13px;font-weight:600;color:#404040;border-bottom:1px solid #999}
table.facts td{text-align:left;white-space:normal;overflow-wrap:anywhere}
table.facts td{vertical-align:top}
table.facts td:first-child{color:#595959;min-width:9rem}
.scroll{overflow-x:auto}
.gallery{display:flex;flex-wrap:wrap;gap:1.2rem;align-items:flex-start}
figure{margin:0;break-inside:avoid;max-width:100%}
figcaption{font-size:12.5px;color:#404040;max-width:30rem;overflow-wrap:anywhere}
svg{max-width:100%;height:auto;display:block}
svg text{font:11px system-ui,sans-serif;fill:#333}
svg .title{font-size:13px;font-weight:600}
svg .grid{stroke:#e3e3e3}svg .axis{stroke:#888}
svg .right{text-anchor:end}svg .middle{text-anchor:middle}
svg.picture text{font-weight:600;stroke:#fff;paint-order:stroke;stroke-linejoin:round}
@media print{body{margin:0;max-width:none;font-size:12px}h2{break-after:avoid}
.figures div{border-color:#999}tr{break-inside:avoid}}
)";

std::string row(const std::vector<std::string>& cells, std::string_view tag) {
  std::string text = "<tr>";
  for (const std::string& cell : cells) text += fmt::format("<{0}>{1}</{0}>", tag, escape(cell));
  return text + "</tr>\n";
}

}  // namespace

std::string escape(std::string_view text) {
  return base::escape_markup(base::to_valid_utf8(text, "?"));
}

std::string heading(std::string_view text) {
  return fmt::format("<h2>{}</h2>\n", escape(text));
}
std::string paragraph(std::string_view text) {
  return fmt::format("<p>{}</p>\n", escape(text));
}
std::string note(std::string_view text) {
  return fmt::format("<p class=\"note\">{}</p>\n", escape(text));
}

std::string headlines(const std::vector<Headline>& figures) {
  std::string text = "<div class=\"figures\">";
  for (const Headline& figure : figures) {
    text += fmt::format("<div><span>{}</span><b>{}</b><small>{}</small></div>\n",
                        escape(figure.label), escape(figure.value), escape(figure.remark));
  }
  return text + "</div>\n";
}

std::string table(const Table& table) {
  std::string text =
      "<div class=\"scroll\"><table><thead>" + row(table.header, "th") + "</thead><tbody>\n";
  for (const auto& cells : table.rows) text += row(cells, "td");
  return text + "</tbody></table></div>\n";
}

std::string facts(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string text = "<table class=\"facts\">\n";
  for (const auto& [name, value] : rows) text += row({name, value}, "td");
  return text + "</table>\n";
}

std::string gallery(const std::vector<std::string>& figures) {
  std::string text = "<div class=\"gallery\">\n";
  for (const std::string& figure : figures) text += figure;
  return text + "</div>\n";
}

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<title>{0}</title>\n<style>{1}</style></head>\n<body>\n<h1>{0}</h1>\n{2}</body></html>\n",
      escape(title), kStyle, body);
}

std::string number(std::optional<double> value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "\u2013";
}

std::string megabytes(std::size_t bytes) {
  return fmt::format("{:.2f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace andon::report
