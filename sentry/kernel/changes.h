/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writable layers hold at the end, written to a descriptor of the command's: records
 * "CHANGE TYPE SIZE PATH\0", where CHANGE is A, M or D, TYPE one of f d l p s c b (or - for what is
 * gone), and SIZE in bytes.
 */
#pragma once

struct super_block;

/* A layer of that kind was mounted there; a reference is taken. Before there are tasks. */
void changes_add_layer(struct super_block *overlay, const char *destination);
/* When no task runs any more; lets go of the layers. */
void changes_write(int fd);
