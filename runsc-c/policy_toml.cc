/* SPDX-License-Identifier: Apache-2.0 */
/* TOML as the values that JSON has, and the lines that they are on. In C++, since that is what the parser is in. */
#include <cstring>
#include <sstream>
#include <string>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <jansson.h>

extern "C" json_t *policy_parse_toml(
	const char *text, size_t size, json_t *lines, char *error, size_t error_size, int *line);

/* Paths and names go on as C's strings: what one of these cannot hold is not cut, but an error. */
static void check_text(const std::string &text, const toml::node &node, int *bad_line)
{
	if (text.find('\0') != std::string::npos && !*bad_line)
		*bad_line = static_cast<int>(node.source().begin.line);
}

static json_t *convert(
	const toml::node &node, const std::string &path, json_t *lines, int *bad_line)
{
	json_t *out = nullptr;

	if (!path.empty())
		json_object_set_new(lines, path.c_str(), json_integer(node.source().begin.line));
	if (const auto *table = node.as_table()) {
		out = json_object();
		for (const auto &[key, value] : *table) {
			std::string name(key.str());

			check_text(name, value, bad_line);
			json_object_set_new(out, name.c_str(),
				convert(value, path.empty() ? name : path + "." + name, lines, bad_line));
		}
	} else if (const auto *array = node.as_array()) {
		out = json_array();
		for (size_t i = 0; i < array->size(); i++)
			json_array_append_new(
				out, convert((*array)[i], path + "." + std::to_string(i), lines, bad_line));
	} else if (const auto *string = node.as_string()) {
		check_text(string->get(), node, bad_line);
		out = json_stringn(string->get().data(), string->get().size());
	} else if (const auto *integer = node.as_integer()) {
		out = json_integer(integer->get());
	} else if (const auto *real = node.as_floating_point()) {
		out = json_real(real->get());
	} else if (const auto *flag = node.as_boolean()) {
		out = json_boolean(flag->get());
	}
	return out ? out : json_null();
}

json_t *policy_parse_toml(
	const char *text, size_t size, json_t *lines, char *error, size_t error_size, int *line)
{
	toml::parse_result result = toml::parse(std::string_view(text, size));
	json_t *content;

	if (!result) {
		std::string message(result.error().description());

		*line = static_cast<int>(result.error().source().begin.line);
		for (char &letter : message)
			letter = letter == '\n' ? ' ' : letter;
		snprintf(error, error_size, "%s", message.c_str());
		return nullptr;
	}
	*line = 0;
	content = convert(result.table(), "", lines, line);
	if (!*line)
		return content;
	snprintf(error, error_size, "\\u0000 is in no name or text here");
	json_decref(content);
	return nullptr;
}
