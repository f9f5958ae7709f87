/* The files of src/page/resources as text, put into the library by cmake/embed.cmake. */
#ifndef A1_PAGE_RESOURCES_H
#define A1_PAGE_RESOURCES_H

#include <stddef.h>

extern const unsigned char a1_file_page_html[], a1_file_page_css[], a1_file_page_data_js[],
    a1_file_page_draw_js[], a1_file_page_player_js[], a1_file_page_main_js[], a1_file_index_html[],
    a1_file_index_css[], a1_file_index_js[];
extern const size_t a1_size_page_html, a1_size_page_css, a1_size_page_data_js, a1_size_page_draw_js,
    a1_size_page_player_js, a1_size_page_main_js, a1_size_index_html, a1_size_index_css,
    a1_size_index_js;

#endif
