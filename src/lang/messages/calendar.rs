//! Calendars (iCalendar).

use crate::lang::message::messages;

messages! {
    no_calendar(first) "this is not a calendar; one begins with `{first}`"
        => "đây không phải là lịch; tệp lịch bắt đầu bằng `{first}`";
    save_as_calendar() "save it from a calendar program as iCalendar (.ics)"
        => "hãy lưu từ chương trình lịch ở dạng iCalendar (.ics)";
    event_cut_off() "this event has no end; the file is cut off"
        => "sự kiện này không có kết thúc; tệp bị cắt cụt";
    calendar_cut_off() "the calendar ends here, without `END:VCALENDAR`; the file is cut off"
        => "lịch kết thúc ở đây mà không có `END:VCALENDAR`; tệp bị cắt cụt";
    calendar_of_cancelled() "this file takes events back (`METHOD:CANCEL`); it is no calendar of events"
        => "tệp này hủy các sự kiện (`METHOD:CANCEL`); đây không phải là lịch sự kiện";
    event_property_twice(key) "this event has more than one `{key}`"
        => "sự kiện này có nhiều hơn một `{key}`";
    occurrence_of_no_event(key) "this occurrence takes the place of another, and has no `{key}` that says of which event"
        => "lần diễn ra này thay cho một lần khác nhưng thiếu `{key}` để biết là của sự kiện nào";
    repeat_on_another_date() "this event repeats on another date than that of its `DTSTART`"
        => "sự kiện này lặp lại vào ngày khác với ngày trong `DTSTART`";
    repeat_too_long(days) "an event that repeats lasts {days} days at most"
        => "sự kiện lặp lại kéo dài tối đa {days} ngày";
    save_again() "save it again" => "hãy lưu lại";
    too_many_events(count, most) "there are {count} events; there may be {most}"
        => "có {count} sự kiện; tối đa là {most}";
    no_calendar_line() "a line of a calendar has a name, `:` and a value"
        => "mỗi dòng của lịch gồm tên, `:` và giá trị";
    save_calendar_again() "save the calendar again; do not edit it by hand"
        => "hãy lưu lại lịch từ chương trình; đừng sửa bằng tay";
    event_inside_another() "an event begins inside another"
        => "một sự kiện bắt đầu bên trong sự kiện khác";
    event_not_begun() "an event ends that has not begun" => "một sự kiện kết thúc mà chưa bắt đầu";
    event_without_start(key) "this event has no `{key}`, so it is never"
        => "sự kiện này thiếu `{key}` nên không bao giờ diễn ra";
    give_it_a_date() "give it a date in the calendar program"
        => "đặt ngày cho sự kiện trong chương trình lịch";
    event_backwards() "this event ends before it begins"
        => "sự kiện này kết thúc trước khi bắt đầu";
    whole_day_ends_after() "an event of one whole day ends on the day after"
        => "sự kiện trọn một ngày kết thúc vào ngày hôm sau";
    event_without_length() "this event begins and does not last"
        => "sự kiện này bắt đầu nhưng không kéo dài";
    give_it_an_end() "give it an end, or make it one of the whole day"
        => "đặt giờ kết thúc, hoặc để là sự kiện cả ngày";
    not_read(key) "`{key}` is not read" => "không đọc `{key}`";
    event_of_each_date() "make an event of each date"
        => "hãy tạo riêng từng ngày thành một sự kiện";
    no_date(text) "`{text}` is no date" => "`{text}` không phải là ngày";
    date_form()
        "a date is 20270101, a time 20270101T073000 or, in UTC, 20270101T003000Z"
        => "ngày viết là 20270101, giờ viết là 20270101T073000 hoặc theo UTC là 20270101T003000Z";
    save_with_zone(example)
        "save the calendar with an IANA zone such as `{example}`, or without one"
        => "hãy lưu lịch với múi giờ IANA như `{example}`, hoặc không ghi múi giờ";
    no_event_duration(text) "`{text}` is no duration" => "`{text}` không phải là khoảng thời gian";
    write_event_duration(day, other) "write `{day}` for a day or `{other}`"
        => "viết `{day}` cho một ngày hoặc `{other}`";
    repeat_not_read(part)
        "`{part}` in `RRULE` is not read; what is: FREQ of DAILY, WEEKLY or YEARLY, INTERVAL, COUNT, UNTIL, BYDAY of days or weeks, WKST"
        => "không đọc `{part}` trong `RRULE`; chỉ đọc: FREQ là DAILY, WEEKLY hoặc YEARLY, INTERVAL, COUNT, UNTIL, BYDAY theo ngày hoặc tuần, WKST";
}
