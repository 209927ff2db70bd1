/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of a run as a JUnit test suite with one case: a failure when the program ended with
 * another status than 0, an error when the sandbox itself did.
 */
#include "runsc-c/outcome.h"

#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const xmlChar *xml(const char *text)
{
	return (const xmlChar *)text;
}

/* XML has no place for control characters, and the last two of each plane's are none. */
static void attribute(xmlTextWriter *writer, const char *name, const char *text)
{
	json_t *valid = result_text(text);
	char *copy = valid ? strdup(json_string_value(valid)) : NULL;

	for (char *at = copy; at && *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
		else if (!strncmp(at, "\xef\xbf\xbe", 3) || !strncmp(at, "\xef\xbf\xbf", 3))
			at[0] = at[1] = at[2] = '?';
	}
	(void)xmlTextWriterWriteAttribute(writer, xml(name), xml(copy ? copy : "?"));
	free(copy);
	json_decref(valid);
}

static void command_text(const struct outcome *outcome, char *text, size_t size)
{
	size_t used = 0;

	(void)snprintf(text, size, "csandbox");
	for (char **word = outcome->options->command; word && *word && used < size; word++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", *word);
}

static void write_property(xmlTextWriter *writer, const char *name, const char *value)
{
	(void)xmlTextWriterStartElement(writer, xml("property"));
	attribute(writer, "name", name);
	attribute(writer, "value", value);
	(void)xmlTextWriterEndElement(writer);
}

/* All of the result: limits.memory.used and so on, lists and what is null as JSON. */
static void write_properties(xmlTextWriter *writer, const char *prefix, const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		char name[256];
		char *text;

		(void)snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (json_is_object(value)) {
			write_properties(writer, name, value);
			continue;
		}
		if (json_is_string(value)) {
			write_property(writer, name, json_string_value(value));
			continue;
		}
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
		write_property(writer, name, text ? text : "");
		free(text);
	}
}

static void write_verdict(xmlTextWriter *writer, const struct outcome *outcome, int status)
{
	const char *reason = outcome_reason(outcome);
	char text[640];

	if (!status)
		return;
	(void)snprintf(text, sizeof(text), "ended with status %d (%s)%s%s", status, reason,
		outcome->failure.message[0] ? ": " : "", outcome->failure.message);
	(void)xmlTextWriterStartElement(
		writer, xml(strcmp(reason, "internal") ? "failure" : "error"));
	attribute(writer, "message", text);
	attribute(writer, "type", reason);
	(void)xmlTextWriterEndElement(writer);
}

static void write_suite(
	xmlTextWriter *writer, const struct outcome *outcome, int status, const json_t *result)
{
	bool internal = !strcmp(outcome_reason(outcome), "internal");
	char name[4096], time[32], start[64];

	command_text(outcome, name, sizeof(name));
	(void)snprintf(time, sizeof(time), "%.3f",
		json_number_value(json_object_get(result, "wall_seconds")));
	(void)snprintf(
		start, sizeof(start), "%.19s", json_string_value(json_object_get(result, "start")));
	(void)xmlTextWriterStartElement(writer, xml("testsuite"));
	attribute(writer, "name", "csandbox");
	attribute(writer, "tests", "1");
	attribute(writer, "failures", status && !internal ? "1" : "0");
	attribute(writer, "errors", status && internal ? "1" : "0");
	attribute(writer, "skipped", "0");
	attribute(writer, "time", time);
	attribute(writer, "timestamp", start);
	(void)xmlTextWriterStartElement(writer, xml("properties"));
	write_properties(writer, "", result);
	(void)xmlTextWriterEndElement(writer);
	(void)xmlTextWriterStartElement(writer, xml("testcase"));
	attribute(writer, "classname", "csandbox");
	attribute(writer, "name", name);
	attribute(writer, "time", time);
	write_verdict(writer, outcome, status);
	(void)xmlTextWriterEndElement(writer);
	(void)xmlTextWriterEndElement(writer);
}

int result_junit_write(const struct outcome *outcome, int status, int fd)
{
	json_t *result = result_json(outcome, status);
	xmlBuffer *buffer = xmlBufferCreate();
	xmlTextWriter *writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	int error = -1;

	errno = ENOMEM;
	if (result && writer) {
		(void)xmlTextWriterSetIndent(writer, 1);
		(void)xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
		(void)xmlTextWriterStartElement(writer, xml("testsuites"));
		write_suite(writer, outcome, status, result);
		(void)xmlTextWriterEndDocument(writer);
		error = outcome_write_all(fd, (const char *)xmlBufferContent(buffer),
			(size_t)xmlBufferLength(buffer));
	}
	if (writer)
		xmlFreeTextWriter(writer);
	if (buffer)
		xmlBufferFree(buffer);
	json_decref(result);
	return error;
}
