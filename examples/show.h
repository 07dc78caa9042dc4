/* examples/show.h: what the lessons share: checking, printing numbers so that a reader and a test can find them, files
 * and pictures.  Nothing of it is needed to use the library. */
#ifndef SHOW_H
#define SHOW_H

#include <nnblas.h>
#include <stdio.h>

/* Reads --digits N (decimals; 17 shows every bit), --out DIR (where files go; default: here) and --help, refuses other
 * arguments, prints the title. */
void show_start(int argc, char **argv, const char *title, int decimals);

/* Decimals from here on, unless --digits was given. */
void show_decimals(int decimals);
/* Where files go, for programs with options of their own.  The folder is made, with its parents, if it is not there. */
void show_into(const char *dir);

/* Ends the program with the library's message if status is negative; else returns it (the number of a node, say). */
int must(int status);
/* The same for memory and files. */
void *must_have(void *p, const char *what);

/* A line "name = value   note".  Every name stands once in a lesson.  note may be "", and must not start with a number.
 */
void show_number(const char *name, double value, const char *note);
/* "name = " and the rows below one another, the note beside the first. */
void show_matrix(const char *name, nnb_cmat m, const char *note);
/* The same with every sign turned. */
void show_negative(const char *name, nnb_cmat m, const char *note);

/* A plan for max_rows rows that trains and keeps every intermediate readable. */
nnb_plan *show_plan(nnb_net *net, int max_rows);
/* What a node held in the plan's last call, and one element of it. */
nnb_cmat kept(const nnb_plan *plan, int node, nnb_what what);
double kept_at(const nnb_plan *plan, int node, nnb_what what, int row, int col);

/* A file in the folder of --out, opened for writing. */
FILE *show_file(const char *name);
/* Closes it; a file that could not be written whole ends the program. */
void show_close(FILE *file);
/* Runs gnuplot on a script in that folder; without gnuplot, says that script and data are there to be drawn. */
void show_plot(const char *script);
/* How every script begins: SVG, fonts, grid, and colours that the colour-blind can tell apart (line styles 1 to 6). */
void show_plot_head(FILE *script, const char *picture, int width, int height);

#endif
