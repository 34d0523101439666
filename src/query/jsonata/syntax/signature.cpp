// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/syntax/signature.hpp"

#include <algorithm>

#include "query/jsonata/syntax/error.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::size_t kMaxParameters = 32;

// The bracket that closes the one at `open`, or npos.
std::size_t closing(std::string_view text, std::size_t open, char opening, char close) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == opening) ++depth;
    if (text[i] == close && --depth == 0) return i;
  }
  return std::string_view::npos;
}

std::string item_type_name(char type) {
  switch (type) {
    case 'a':
      return "arrays";
    case 'b':
      return "booleans";
    case 'f':
      return "functions";
    case 'n':
      return "numbers";
    case 'o':
      return "objects";
    case 's':
      return "strings";
    default:
      return std::string(1, type);
  }
}

}  // namespace

char type_letter(const Value& value) {
  if (value.is_function()) return 'f';
  if (value.is_string()) return 's';
  if (value.is_number()) return 'n';
  if (value.is_bool()) return 'b';
  if (value.is_null()) return 'l';
  if (value.is_list()) return 'a';
  if (value.is_object()) return 'o';
  return 'm';
}

Signature Signature::parse(std::string_view text) {
  Signature signature;
  std::vector<Parameter>& parameters = signature.parameters_;
  for (std::size_t i = 1; i < text.size() && text[i] != ':' && text[i] != '>'; ++i) {
    const char c = text[i];
    Parameter parameter;
    switch (c) {
      case 's':
      case 'n':
      case 'b':
      case 'l':
      case 'o':
        parameter.types = {c, 'm'};
        break;
      case 'a':
        parameter.types = "asnblfom";
        parameter.is_list = true;
        break;
      case 'f':
        parameter.types = "f";
        break;
      case 'j':
        parameter.types = "asnblom";
        break;
      case 'x':
        parameter.types = "asnblfom";
        break;
      case '-':
        if (!parameters.empty()) parameters.back().from_context = true;
        continue;
      case '?':
        if (!parameters.empty()) parameters.back().optional = true;
        continue;
      case '+':
        if (!parameters.empty()) parameters.back().repeated = true;
        continue;
      case '(': {
        const std::size_t end = closing(text, i, '(', ')');
        if (end == std::string_view::npos) continue;
        const std::string_view choice = text.substr(i + 1, end - i - 1);
        if (choice.find('<') != std::string_view::npos) {
          throw Error("S0402", "Choice groups containing parameterized types are not supported", i);
        }
        parameter.types = std::string(choice) + "m";
        i = end;
        break;
      }
      case '<': {
        const bool list = !parameters.empty() && parameters.back().is_list;
        const bool function = !parameters.empty() && parameters.back().types == "f";
        if (!list && !function) {
          throw Error("S0401", "Type parameters can only be applied to functions and arrays", i);
        }
        const std::size_t end = closing(text, i, '<', '>');
        if (end == std::string_view::npos) continue;
        if (list && end > i + 1) parameters.back().item_type = text[i + 1];
        i = end;
        continue;
      }
      default:
        continue;
    }
    if (parameters.size() >= kMaxParameters) break;
    parameters.push_back(std::move(parameter));
  }
  return signature;
}

bool Signature::match(std::string_view types, std::size_t parameter, std::size_t at,
                      std::vector<std::size_t>& counts) const {
  if (parameter == parameters_.size()) return at == types.size();
  const Parameter& wanted = parameters_[parameter];
  std::size_t most = 0;
  while (at + most < types.size() && (most < 1 || wanted.repeated) &&
         wanted.types.find(types[at + most]) != std::string::npos) {
    ++most;
  }
  const std::size_t least = wanted.optional || wanted.from_context ? 0 : 1;
  for (std::size_t count = most + 1; count-- > least;) {
    counts[parameter] = count;
    if (match(types, parameter + 1, at + count, counts)) return true;
  }
  return false;
}

Items Signature::validate(const Items& arguments, const Value& context,
                          const std::string& function) const {
  std::string types;
  for (const Value& argument : arguments) types += type_letter(argument);
  std::vector<std::size_t> counts(parameters_.size());
  const std::string quoted = "\"" + function + "\"";
  if (!match(types, 0, 0, counts)) {
    // The argument that ends the longest beginning that would have been accepted.
    std::size_t reached = 0;
    for (std::size_t i = 0; i < parameters_.size() && reached < types.size(); ++i) {
      if (parameters_[i].types.find(types[reached]) != std::string::npos) {
        ++reached;
      } else if (!parameters_[i].optional && !parameters_[i].from_context) {
        break;
      }
    }
    throw Error("T0410", "Argument " + std::to_string(reached + 1) + " of function " + quoted +
                             " does not match function signature");
  }
  Items validated;
  std::size_t at = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    if (counts[i] == 0) {
      if (parameter.from_context) {
        if (parameter.types.find(type_letter(context)) == std::string::npos) {
          throw Error("T0411", "Context value is not a compatible type with argument " +
                                   std::to_string(at + 1) + " of function " + quoted);
        }
        validated.push_back(context);
      } else {
        validated.push_back(at < arguments.size() ? arguments[at] : Value());
        ++at;
      }
      continue;
    }
    for (std::size_t n = 0; n < counts[i]; ++n, ++at) {
      const Value& argument = arguments[at];
      if (!parameter.is_list || argument.is_undefined()) {
        validated.push_back(argument);
        continue;
      }
      if (parameter.item_type != '\0') {
        bool fits = true;
        if (argument.is_list()) {
          for (std::size_t k = 0; k < argument.size() && fits; ++k) {
            fits = type_letter(argument.item(k)) == parameter.item_type;
          }
        } else {
          fits = type_letter(argument) == parameter.item_type;
        }
        if (!fits) {
          throw Error("T0412", "Argument " + std::to_string(at + 1) + " of function " + quoted +
                                   " must be an array of \"" + item_type_name(parameter.item_type) +
                                   "\"");
        }
      }
      validated.push_back(argument.is_list() ? argument : Value(make_list({argument})));
    }
  }
  return validated;
}

}  // namespace andon::query::jsonata
