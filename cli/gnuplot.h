/* cli/gnuplot.h: pictures by gnuplot.  The ending of the path says what is drawn: .png or .svg; "-" draws with
 * characters on standard output.  Beside FILE.png stands FILE.png.gp, gnuplot's script with the data in it. */
#ifndef GNUPLOT_H
#define GNUPLOT_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

/* The flag --plot, as a child of a command's argp; its input is a const char *: the path, checked. */
extern const struct argp plot_flag_argp;

/* Whether a picture can be drawn there: ends the program with a message if not.  flag: its name, for the message. */
void check_picture(const char *flag, const char *path, const struct argp_state *state);

/* Before the work, an exit code: whether there is a gnuplot, and the picture and its script can be written.  path NULL:
 * nothing is drawn. */
int check_drawing(const char *flag, const char *path, bool json);
/* The path of the script, to be freed; NULL: out of memory, with a message. */
char *picture_script(const char *path);
/* EX_USAGE if the picture or its script would overwrite input, a file that is read (files.h).  Either may be NULL. */
int spare_drawing(const char *input, const char *flag, const char *path);
/* A picture in a file is drawn before results are printed, whose reader may go away. */
bool drawn_in_file(const char *path);

/* One picture: its size in pixels, and what writes the script.  In the terminal its panels stand one below the other;
 * elsewhere they are side by side, across × down. */
typedef struct picture {
  int width, height, across, down;
  void (*write)(FILE *f, const void *what, bool terminal);
  const void *what;
} picture;

/* Draws it, and keeps the script beside it.  Returns the exit code. */
int draw_picture(const char *path, const picture *p);

/* text in quotes of gnuplot. */
void gnuplot_text(FILE *f, const char *text);

/* The colour of line, run or class i, "#rrggbb": those of Okabe and Ito, which the colour-blind can tell apart. */
const char *gnuplot_colour(int i);

/* Axis 'x' or 'y' with a logarithmic scale and readable ticks, if numbers from lo to hi > 0 need one. */
void gnuplot_log_axis(FILE *f, char axis, double lo, double hi);

#endif
