"""Papers for court: certificates, custody reports, lists and forms, typeset from the record and signed (EV-9)."""
