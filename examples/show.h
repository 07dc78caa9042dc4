/* examples/show.h: shared by the lessons: checking, printing numbers for readers and tests, files and pictures.  You do
 * not need it to use the library. */
#ifndef SHOW_H
#define SHOW_H

#include <nnblas.h>
#include <stdio.h>

/* Reads --digits N (decimals; 17 shows every bit), --out DIR (folder for files; default: here) and --help, rejects
 * other arguments, prints the title. */
void show_start(int argc, char **argv, const char *title, int decimals);

/* Sets the number of decimals from here on, unless --digits was given. */
void show_decimals(int decimals);
/* Sets the folder for files, for programs with their own options.  The folder and its parents are created if needed. */
void show_into(const char *dir);

/* Ends the program with the library's message if status is negative; else returns it (for instance the number of a
 * node). */
int must(int status);
/* The same for memory and files. */
void *must_have(void *p, const char *what);

/* Prints a line "name = value note".  Every name occurs once in a lesson.  note may be "", and must not start with a
 * number. */
void show_number(const char *name, double value, const char *note);
/* Prints "name = " and the rows below one another, the note beside the first. */
void show_matrix(const char *name, nnb_cmat m, const char *note);
/* The same with all signs changed. */
void show_negative(const char *name, nnb_cmat m, const char *note);

/* A plan for max_rows rows that trains and keeps all intermediate results. */
nnb_plan *show_plan(nnb_net *net, int max_rows);
/* A node's result in the plan's last call, and one element of it. */
nnb_cmat kept(const nnb_plan *plan, int node, nnb_what what);
double kept_at(const nnb_plan *plan, int node, nnb_what what, int row, int col);

/* A file in the folder of --out, opened for writing. */
FILE *show_file(const char *name);
/* Closes it; ends the program if it could not be written completely. */
void show_close(FILE *file);
/* Runs gnuplot on a script NAME.gp in that folder, which draws NAME.svg; without gnuplot, prints that script and data
 * are there. */
void show_plot(const char *script);
/* The start of every script: SVG or PNG, by the ending of the picture, fonts, grid, and colours that colour-blind
 * readers can distinguish (line styles 1 to 6). */
void show_plot_head(FILE *script, const char *picture, int width, int height);

#endif
