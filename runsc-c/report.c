/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a run: one page that holds its data and draws them itself, with nothing to fetch.
 * The page is report.html; here its data are put in.
 */
#include "runsc-c/outcome.h"

#include "runsc-c/report_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACE "@DATA@"

static json_t *processes_json(const struct accounting *page)
{
	uint32_t count = atomic_load((_Atomic uint32_t *)&page->process_count);
	json_t *list = json_array();

	for (uint32_t i = 0; i < count && i < ACCOUNTING_PROCESSES; i++) {
		const struct accounting_process *process = &page->processes[i];
		char name[sizeof(process->name) + 1] = "";

		memcpy(name, process->name, sizeof(process->name));
		json_array_append_new(list,
			json_pack("{s:i, s:i, s:f, s:f, s:f, s:I, s:i, s:o}", "pid", process->pid,
				"parent", process->parent, "start", (double)process->start_ns / 1e9,
				"end", (double)process->end_ns / 1e9, "cpu",
				(double)process->cpu_ns / 1e9, "memory",
				(json_int_t)(process->peak_memory & INT64_MAX), "status",
				process->status, "name", result_text(name)));
	}
	return list;
}

static json_t *samples_json(const struct accounting *page)
{
	uint32_t count = atomic_load((_Atomic uint32_t *)&page->sample_count);
	json_t *list = json_array();

	for (uint32_t i = 0; i < count && i < ACCOUNTING_SAMPLES; i++) {
		const struct accounting_sample *sample = &page->samples[i];

		json_array_append_new(list,
			json_pack("[f, f, I, i]", (double)sample->time_ns / 1e9,
				(double)sample->cpu_ns / 1e9,
				(json_int_t)(sample->memory & INT64_MAX), (int)sample->processes));
	}
	return list;
}

static json_t *texts_json(const char (*texts)[ACCOUNTING_FILE_SIZE], uint32_t count, uint32_t most)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count && i < most; i++) {
		char text[ACCOUNTING_FILE_SIZE + 1] = "";

		memcpy(text, texts[i], ACCOUNTING_FILE_SIZE);
		json_array_append_new(list, result_text(text));
	}
	return list;
}

static void add_touched(json_t *data, struct accounting *page)
{
	json_object_set_new(data, "files",
		texts_json(page->files, atomic_load(&page->file_count), ACCOUNTING_FILES));
	json_object_set_new(data, "addresses",
		texts_json(
			page->addresses, atomic_load(&page->address_count), ACCOUNTING_ADDRESSES));
}

/* Inside a script element, nothing may look like the end of it. */
static int write_data(int fd, const json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)),
	     *at = text;
	int error = text ? 0 : -1;

	while (text && *at && !error) {
		size_t size = strcspn(at, "<");

		error = outcome_write_all(fd, at, size);
		at += size;
		if (!error && *at == '<') {
			error = outcome_write_all(fd, "\\u003c", 6);
			at++;
		}
	}
	free(text);
	return error;
}

int report_write(const struct outcome *outcome, int status, int fd)
{
	const char *place = strstr(report_page, PLACE);
	json_t *data = result_json(outcome, status);
	int error;

	if (!data || !place) {
		errno = ENOMEM;
		json_decref(data);
		return -1;
	}
	if (outcome->page) {
		json_object_set_new(data, "processes", processes_json(outcome->page));
		json_object_set_new(data, "samples", samples_json(outcome->page));
		add_touched(data, outcome->page);
	}
	error = outcome_write_all(fd, report_page, (size_t)(place - report_page));
	if (!error)
		error = write_data(fd, data);
	if (!error)
		error = outcome_write_all(fd, place + strlen(PLACE), strlen(place + strlen(PLACE)));
	json_decref(data);
	return error;
}
