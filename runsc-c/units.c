/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes amounts: sizes, durations, counts. */
#include "runsc-c/units.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	double factor;
};

static const struct unit sizes[] = {{"", 1}, {"b", 1}, {"k", 0x1p10}, {"kb", 0x1p10},
	{"kib", 0x1p10}, {"m", 0x1p20}, {"mb", 0x1p20}, {"mib", 0x1p20}, {"g", 0x1p30},
	{"gb", 0x1p30}, {"gib", 0x1p30}, {"t", 0x1p40}, {"tb", 0x1p40}, {"tib", 0x1p40}};
static const struct unit durations[] = {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9},
	{"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

/* Digits with at most one point: no sign, no exponent, nothing of the locale's. */
static const char *parse_number(const char *text, double *number)
{
	size_t whole = strspn(text, "0123456789"), part = 0;
	double scale = 1;

	*number = 0;
	if (text[whole] == '.')
		part = 1 + strspn(text + whole + 1, "0123456789");
	if (whole + part == 0 || part == 1 || whole + part > 30)
		return NULL;
	for (size_t i = 0; i < whole; i++)
		*number = *number * 10 + (text[i] - '0');
	for (size_t i = whole + 1; i < whole + part; i++)
		*number += (text[i] - '0') * (scale /= 10);
	return text + whole + part;
}

static const struct unit *find_unit(
	const struct unit *units, size_t count, const char *name, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(units[i].name) == size && !strncasecmp(units[i].name, name, size))
			return &units[i];
	}
	return NULL;
}

/* One number with its unit, or several one after the other, which are added. */
static bool parse(
	const char *text, const struct unit *units, size_t count, bool several, uint64_t *value)
{
	double sum = 0;

	do {
		const struct unit *unit;
		double number;
		size_t size;

		text = parse_number(text, &number);
		if (!text)
			return false;
		size = strcspn(text, "0123456789.");
		unit = find_unit(units, count, text, size);
		if (!unit || (several && text[size] && !size))
			return false;
		sum += number * unit->factor;
		text += size;
	} while (*text && several);
	if (*text || sum < 1 || sum >= 0x1p62)
		return false;
	*value = (uint64_t)llround(sum);
	return true;
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
	return parse(text, sizes, array_count(sizes), false, bytes);
}

bool units_parse_duration(const char *text, uint64_t *ns)
{
	return parse(text, durations, array_count(durations), true, ns);
}

bool units_parse_thousandths(const char *text, uint64_t *thousandths)
{
	static const struct unit thousand[] = {{"", 1000}};

	return parse(text, thousand, 1, false, thousandths);
}

bool units_parse_count(const char *text, uint64_t *count)
{
	static const struct unit one[] = {{"", 1}};

	return !strchr(text, '.') && parse(text, one, 1, false, count);
}

void units_format_size(uint64_t bytes, char *text, size_t size)
{
	static const char letters[] = " KMGTPE";
	double number = (double)bytes;
	int unit = 0;

	for (; number >= 1024 && letters[unit + 1]; unit++)
		number /= 1024;
	if (unit == 0)
		(void)snprintf(text, size, "%lu", bytes);
	else
		(void)snprintf(text, size,
			number < 10 && number != floor(number) ? "%.1f%c" : "%.0f%c", number,
			letters[unit]);
}

void units_format_duration(uint64_t ns, char *text, size_t size)
{
	uint64_t s = ns / 1000000000;

	if (s < 1)
		(void)snprintf(text, size, "%lums", ns / 1000000);
	else if (s < 60)
		(void)snprintf(text, size, "%.*fs", ns % 1000000000 ? 1 : 0, (double)ns / 1e9);
	else if (s < 3600)
		(void)snprintf(text, size, "%lum%02lus", s / 60, s % 60);
	else
		(void)snprintf(text, size, "%luh%02lum", s / 3600, s / 60 % 60);
}
